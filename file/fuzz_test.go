package file

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// FuzzReader reads arbitrary bytes as a log: it comes to the end, takes memory
// as the log has bytes, and gives the same again. Then it writes to that log:
// what could be read before still can.
func FuzzReader(f *testing.F) {
	for seed := range uint64(4) {
		b, _ := madeUp(seed, 256<<seed, seed%2 == 0)
		f.Add(b[:min(len(b), 6000)], uint16(0), byte(0))
		f.Add(b[:min(len(b), 6000)], uint16(1000+seed), byte(0xFF))
	}
	f.Add(newForeign(1<<20).b, uint16(0), byte(0))
	f.Add([]byte("Ss\x01"), uint16(2), byte(1))
	f.Fuzz(func(t *testing.T, b []byte, at uint16, flip byte) {
		if len(b) > 1<<20 {
			return
		}
		if int(at) < len(b) {
			b[at] ^= flip
		}
		path := filepath.Join(t.TempDir(), "log.ss")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		before, ok := fuzzRead(t, path, streamer.Beginning())
		if !ok {
			return
		}
		if again, _ := fuzzRead(t, path, streamer.AtTime(logfile.TimeOf(0))); len(again) != len(before) {
			t.Errorf("%d messages from the beginning, %d since 1970", len(before), len(again))
		}
		lf, err := logfile.OpenFile(path, streamer.CreateNever, 1<<10, nil)
		if errors.Is(err, logfile.ErrGap) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		m := lf.Enc.Mark()
		if err := lf.Put(m, lf.Enc.Append(nil, "fuzz", 77, 1, 1, []byte("more"))); err != nil {
			t.Fatal(err)
		}
		if err := lf.Close(); err != nil {
			t.Fatal(err)
		}
		after, _ := fuzzRead(t, path, streamer.Beginning())
		if len(after) != len(before)+1 || after[len(before)] != "more" {
			t.Fatalf("%d messages before, %d after one more was written", len(before), len(after))
		}
		for i := range before {
			if before[i] != after[i] {
				t.Fatalf("message %d was %q and is %q", i, before[i], after[i])
			}
		}
	})
}

// fuzzRead reads every stream of a log to its end.
func fuzzRead(t *testing.T, path string, from streamer.Position) (all []string, ok bool) {
	b, err := newBackend(Config{Path: path, NoFollow: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(context.Background())
	c := sourceConfig(wildcard)
	c.Start = from
	src, err := b.OpenSource(context.Background(), c)
	if err != nil {
		return nil, false
	}
	defer src.Close(context.Background())
	s := src.(*source)
	for {
		err := src.Fetch(context.Background(), func(ms []streamer.Message) {
			for i := range ms {
				all = append(all, string(ms[i].Value))
			}
		})
		if s.r != nil && s.r.Partial() > 4<<20 {
			t.Fatal("memory beyond the file's size")
		}
		if err != nil {
			return all, s.r != nil || s.header == ss.Header{}
		}
	}
}

func FuzzEnvelope(f *testing.F) {
	for _, r := range []streamer.Record{
		{Stream: "a"}, {Stream: "a", Key: []byte{}, Value: []byte("v")},
		{Stream: "orders", Key: []byte("k"), Headers: []streamer.Header{{Key: "h", Value: []byte("v")}, {Key: "", Value: nil}, {Key: "h", Value: []byte{}}}},
	} {
		f.Add(logfile.AppendEnvelope(nil, &r))
	}
	f.Add(logfile.Declaration{Stream: "orders", Shards: 3}.Append(nil))
	f.Add([]byte("env1\x00\x01a\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, ok := logfile.ParseDeclaration(b); ok {
			if again, ok := logfile.ParseDeclaration(d.Append(nil)); !ok || again != d {
				t.Errorf("%+v came back as %+v", d, again)
			}
		}
		e, ok := logfile.ParseEnvelope(b)
		if !ok {
			return
		}
		var ba batch
		ba.add(&shard{}, &logfile.Entry{Env: logfile.Envelope{Stream: append([]byte{}, e.Stream...), Key: e.Key, NilValue: e.NilValue, Count: e.Count, Headers: e.Headers, Names: e.Names, Size: e.Size}})
		m := ba.slab(nil)[0]
		r := streamer.Record{Stream: string(e.Stream), Key: m.Key, Value: []byte{}, Headers: m.Headers}
		if e.NilValue {
			r.Value = nil
		}
		again, ok := logfile.ParseEnvelope(logfile.AppendEnvelope(nil, &r))
		if !ok || !bytes.Equal(again.Key, e.Key) || (again.Key == nil) != (e.Key == nil) || again.Count != e.Count || again.NilValue != e.NilValue {
			t.Errorf("%+v came back as %+v", e, again)
		}
	})
}
