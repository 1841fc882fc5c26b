package file

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/reference"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// TestALogIsWhatSeaStreamerWrites: of messages without key and headers, byte
// for byte what the other encoder makes of header and messages, beacons
// included, also when the log was closed and opened again meanwhile: beacons go
// on as if it had not been.
func TestALogIsWhatSeaStreamerWrites(t *testing.T) {
	for _, c := range []struct {
		beacon                        int64
		streams, messages, size, open int
	}{
		{1 << 10, 1, 60, 300, 1}, {1 << 10, 5, 200, 3000, 4}, {2 << 10, 12, 400, 90, 5}, {4 << 10, 30, 300, 5000, 3}, {72 << 10, 300, 1500, 400, 1}, {72 << 10, 200, 1500, 400, 3},
	} {
		t.Run(fmt.Sprintf("beacon=%d,streams=%d,opened=%d", c.beacon, c.streams, c.open), func(t *testing.T) {
			r := newRig(t, func(conf *Config) { conf.Beacon = c.beacon })
			sent := someMessages(c.messages, c.streams, c.size)
			for i := range c.open {
				r.sendAll(sent[i*len(sent)/c.open : (i+1)*len(sent)/c.open])
			}
			file := r.read()
			r.equal(file, reference.Encode(file[:ss.HeaderSize], uint32(c.beacon), sent))
			r.equal(file, again(t, file))
		})
	}
}

// TestALogWithAllThatItCanHoldDecodesToTheSameBytes: with keys, headers, shards
// and an end of stream.
func TestALogWithAllThatItCanHoldDecodesToTheSameBytes(t *testing.T) {
	r := newRig(t, func(c *Config) { c.EOS, c.Shards = true, 3 })
	for i := range 3 {
		s := r.connect()
		p := r.producer(s, "orders")
		for j := range 100 {
			r.send(p, streamer.Record{Key: fmt.Append(nil, j%7), Value: bytes.Repeat([]byte{byte(j)}, 40*i+j), Headers: []streamer.Header{{Key: "n", Value: fmt.Append(nil, j)}}})
		}
		r.ok(s.Close())
	}
	file := r.read()
	r.equal(file, again(t, file))
}

// someMessages are of streams that appear one after another, in the order in
// which they are sent; their times go back now and then.
func someMessages(n, streams, size int) []reference.Message {
	rnd := rand.New(rand.NewPCG(uint64(n), uint64(streams)))
	seqs := map[string]uint64{}
	all := make([]reference.Message, n)
	for i := range all {
		key := fmt.Sprint("stream-", rnd.IntN(min(streams, 1+i/2)))
		seqs[key]++
		payload := make([]byte, rnd.IntN(size+1))
		for j := range payload {
			payload[j] = byte(rnd.Uint32())
		}
		all[i] = reference.Message{Key: key, Seq: seqs[key], Time: 1700000000000 + uint64(i*10+rnd.IntN(100)), Payload: payload}
	}
	return all
}

// sendAll sends messages with a producer, in a program of its own.
func (r *rig) sendAll(all []reference.Message) {
	r.Helper()
	s := r.connect()
	recs := make([]streamer.Record, len(all))
	for i, m := range all {
		recs[i] = streamer.Record{Stream: m.Key, Value: m.Payload, Time: time.UnixMilli(int64(m.Time))}
	}
	for i, meta := range r.send(r.producer(s, "stream-0"), recs...) {
		if meta.Stream != all[i].Key || meta.Seq.Uint() != all[i].Seq {
			r.Fatalf("message %d of %s is %+v", all[i].Seq, all[i].Key, meta)
		}
	}
	r.ok(s.Close())
}

// again decodes a log and encodes what it has.
func again(t *testing.T, file []byte) []byte {
	t.Helper()
	h, err := ss.ParseHeader(file)
	if err != nil {
		t.Fatal(err)
	}
	e := ss.NewEncoder(h.Interval, ss.HeaderSize)
	b := e.Start(h.Append(nil))
	for s := ss.NewScanner(bytesAt(file), h.Interval, ss.HeaderSize); ; {
		f, err := s.Next()
		if err == nil {
			b = e.Append(b, string(f.Key), f.Shard, f.Seq, f.Time, f.Payload)
		} else if err := s.Fill(); err != nil {
			return b
		}
	}
}

func (r *rig) equal(got, want []byte) {
	r.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	r.Fatalf("%d bytes, want %d; they differ from byte %d on", len(got), len(want), at)
}
