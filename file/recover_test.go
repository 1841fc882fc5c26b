package file

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// reopen opens a log as a writer does, and closes it.
func (r *rig) reopen() {
	r.Helper()
	lf, err := logfile.OpenFile(r.cfg.Path, streamer.CreateNever, 1<<10, nil)
	r.ok(err)
	r.ok(lf.Close())
}

// TestAppendThreeTimes is SeaStreamer's test of its sink: ends of stream
// between appends vanish.
func TestAppendThreeTimes(t *testing.T) {
	for _, interval := range []int64{128, 256, 512, 1024, 1 << 20} {
		t.Run(fmt.Sprint(interval), func(t *testing.T) {
			r := newRig(t)
			var want []string
			for turn := range 3 {
				lf, err := logfile.OpenFile(r.cfg.Path, streamer.CreateAuto, interval, nil)
				r.ok(err)
				for i := range 10 {
					m := lf.Enc.Mark()
					seq, _ := lf.Enc.NextSeq("hello", 1)
					r.ok(lf.Put(m, lf.Enc.Append(nil, "hello", 1, seq, 1700000000000, fmt.Appendf(nil, "hello-%d", turn*10+i))))
					want = append(want, fmt.Sprintf("hello/1/%d hello-%d", seq, turn*10+i))
				}
				if turn > 0 {
					m := lf.Enc.Mark()
					r.ok(lf.Put(m, lf.Enc.Append(nil, ss.Internal, 0, 0, 1700000000000, []byte(ss.EOS))))
				}
				r.ok(lf.Close())
			}
			r.same("frames", frames(t, r.read()), append(want, ss.Internal+"/0/0 EOS"))
		})
	}
}

// TestReopenOfALogCutAnywhere: whatever a crash leaves of a log, opening it for
// writing keeps every whole message, and what is written then can be read.
// SeaStreamer destroys such a log when it ends in a beacon (defect 2).
func TestReopenOfALogCutAnywhere(t *testing.T) {
	r := newRig(t)
	s := r.connect()
	p := r.producer(s, "a")
	var recs []streamer.Record
	for i := range 40 {
		recs = append(recs, streamer.Record{Value: bytes.Repeat([]byte{'a' + byte(i%26)}, 10+7*i)})
		if i%3 == 0 {
			recs[i].Key = []byte("key")
		}
	}
	r.send(p, recs...)
	r.ok(s.Close())
	whole := r.read()
	if len(whole) < 4<<10 {
		t.Fatalf("a log of %d bytes has too few beacons", len(whole))
	}
	for n := ss.HeaderSize; n <= len(whole); n++ {
		if beyond := n % 1024; beyond > 140 && beyond < 1000 && n%11 != 0 {
			continue // near the beacons every byte counts
		}
		r.renew()
		r.write(whole[:n])
		before := r.all("a")
		r.reopen()
		after := r.read()
		r.same(fmt.Sprintf("messages after a cut at %d", n), values(r.all("a")), values(before))
		if !bytes.HasPrefix(after, whole[:min(len(after), n)]) {
			t.Fatalf("cut at %d: what was whole has changed", n)
		}
		if n%41 == 0 {
			m := r.produce("a", "more")
			if want := uint64(len(before) + 1); m[0].Seq != streamer.SeqUint(want) {
				t.Fatalf("cut at %d: the next message is %v, want %d", n, m[0].Seq, want)
			}
			r.same("messages", values(r.all("a")), append(values(before), "more"))
		}
	}
}

// TestReopenedLogIsByteForByteTheSame: a log that was cut and completed by the
// same messages is the log that was never cut, with its beacons: running
// checksums and streams are carried over (defect 11).
func TestReopenedLogIsByteForByteTheSame(t *testing.T) {
	f := newForeign(512)
	for i := range 60 {
		f.sendAt("a", 0, 1700000000000+uint64(i), fmt.Sprint("message ", i))
	}
	whole := f.b
	r := newRig(t)
	for n := ss.HeaderSize; n < len(whole); n += 13 {
		r.write(whole[:n])
		lf, err := logfile.OpenFile(r.cfg.Path, streamer.CreateNever, 1<<10, nil)
		r.ok(err)
		for {
			seq, _ := lf.Enc.NextSeq("a", 0)
			if seq > 60 {
				break
			}
			m := lf.Enc.Mark()
			r.ok(lf.Put(m, lf.Enc.Append(nil, "a", 0, seq, 1700000000000+seq-1, fmt.Appendf(nil, "message %d", seq-1))))
		}
		r.ok(lf.Close())
		if !bytes.Equal(r.read(), whole) {
			t.Fatalf("cut at %d: the completed log differs", n)
		}
	}
}

// TestReopenDropsEndOfStream also where the log has no beacon yet (defect 3).
func TestReopenDropsEndOfStream(t *testing.T) {
	for _, interval := range []uint32{128, 1024, 1 << 20} {
		f := newForeign(interval)
		f.b = f.e.Start(f.b)
		f.send("a", "1", "2", "3")
		f.eos()
		r := newRig(t)
		r.write(f.b)
		r.produce("a", "4", "5")
		r.same("messages", values(r.all("a")), numbers(1, 6))
		for _, f := range frames(t, r.read()) {
			if f == ss.Internal+"/0/0 EOS" {
				t.Errorf("interval %d: the end of stream is still there", interval)
			}
		}
	}
}

func TestReopenCutsAnEnvelopeWithoutItsMessage(t *testing.T) {
	r := newRig(t)
	r.produce("a", "1")
	want := r.read()
	rec := streamer.Record{Stream: "a", Key: []byte("k"), Value: []byte("v")}
	e := ss.NewEncoder(1<<10, int64(len(want)))
	r.write(e.Append(want, ss.Internal, 0, 2, 1, logfile.AppendEnvelope(nil, &rec)))
	r.reopen()
	if !bytes.Equal(r.read(), want) {
		t.Error("the envelope is still there")
	}
}

// TestReopenNumbersOnFromTheHighest also in streams that no beacon names,
// because SeaStreamer wrote them in an earlier session.
func TestReopenNumbersOnFromTheHighest(t *testing.T) {
	f := newForeign(1024)
	f.send("forgotten", "1", "2", "3")
	f.session()
	for i := range 200 {
		f.send("b", fmt.Sprint(i))
	}
	r := newRig(t)
	r.write(f.b)
	if m := r.produce("forgotten", "4"); m[0].Seq != streamer.SeqUint(4) {
		t.Errorf("the next message is %v, want 4", m[0].Seq)
	}
}

// TestReopenKeepsUnreadableBytes: what cannot be read and may hold messages is
// written around, not over.
func TestReopenKeepsUnreadableBytes(t *testing.T) {
	for name, spoil := range map[string]func(b []byte, at int) []byte{
		"a key":               func(b []byte, at int) []byte { b[at+1] = '\n'; return b },
		"a size, far too big": func(b []byte, at int) []byte { b[at+2+24] = 0x7F; return b },
		"a checksum":          func(b []byte, at int) []byte { b[at+1+1+28]++; return b },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			f := newForeign(1 << 10)
			f.send("a", "one", "two")
			at := len(f.b)
			f.send("a", "three", "four", "five")
			damaged := spoil(f.b, at)
			r.write(damaged)
			r.produce("a", "six")
			if !bytes.HasPrefix(r.read(), damaged) {
				t.Error("bytes that could not be read were changed")
			}
			got := values(r.all("a"))
			if len(got) < 3 || got[0] != "one" || got[1] != "two" || got[len(got)-1] != "six" {
				t.Errorf("messages %q", got)
			}
			if len(r.skipped) != 1 {
				t.Errorf("%d skips reported: %v", len(r.skipped), r.skipped)
			}
		})
	}
}

// TestReopenCutsLeavings: what SeaStreamer leaves of an end of stream that it
// wrote over, and zeros that a file system puts at the end after a loss of
// power.
func TestReopenCutsLeavings(t *testing.T) {
	eos := newForeign(1 << 20)
	eos.eos()
	tail := eos.b[ss.HeaderSize:]
	for n := 1; n <= 24; n++ {
		r := newRig(t)
		f := newForeign(1 << 20)
		f.send("a", "1")
		r.write(append(f.b, tail[len(tail)-n:]...))
		r.same("messages", values(r.all("a")), numbers(1, 2))
		r.produce("a", "2")
		r.same("messages", values(r.all("a")), numbers(1, 3))
	}
	r := newRig(t)
	f := newForeign(1 << 20)
	f.send("a", "1")
	r.write(append(f.b, make([]byte, 5000)...))
	r.produce("a", "2")
	r.same("messages", values(r.all("a")), numbers(1, 3))
	if info, err := os.Stat(r.cfg.Path); err != nil || info.Size() > 1000 {
		t.Errorf("the zeros are still there: %v, %v", info.Size(), err)
	}
}

// TestOtherFilesAreNotTouched: a file that is no log is refused and stays what
// it is.
func TestOtherFilesAreNotTouched(t *testing.T) {
	for name, text := range map[string]string{"short": "notes", "long": string(bytes.Repeat([]byte("notes\n"), 99)), "version 2": "Ss\x02"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.write([]byte(text))
			s := r.connect()
			_, err := s.Producer(r.ctx, streamer.ProducerOptions{Stream: "a"})
			r.is(err, streamer.ErrInvalid)
			_, err = s.Consumer(r.ctx, streamer.ConsumerOptions{Streams: []string{"a"}})
			r.is(err, streamer.ErrInvalid)
			if string(r.read()) != text {
				t.Error("the file was changed")
			}
		})
	}
}
