package file

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
)

func TestDamageIsSkippedAndReported(t *testing.T) {
	r := newRig(t)
	metas := r.produce("a", numbers(0, 300)...)
	b := r.read()
	first := bytes.Index(b, []byte("100")) // a payload
	b[first] = 'X'
	second := bytes.Index(b, referencePrefix("a", 0, 201)) // the frame of 200
	b[second] = 0xFF
	r.write(b)
	got := values(r.all("a"))
	if len(got) < 250 || got[99] != "99" || got[100] != "101" || got[len(got)-1] != "299" {
		t.Fatalf("%d messages: %q", len(got), got)
	}
	if len(r.skipped) != 2 {
		t.Fatalf("%d skips: %v", len(r.skipped), r.skipped)
	}
	var e *CorruptionError
	if !errors.As(r.skipped[0].Err, &e) || e.Err != ErrChecksum || e.Path != r.cfg.Path || e.Offset > int64(first) || e.Offset+e.Length < int64(first) {
		t.Errorf("first skip: %+v", r.skipped[0])
	}
	if r.skipped[0].Seq != metas[100].Seq || r.skipped[0].Stream != "a" {
		t.Errorf("first skip: %+v", r.skipped[0])
	}
	if !errors.As(r.skipped[1].Err, &e) || !errors.Is(e, ErrFrame) || e.Offset != int64(second) || e.Length <= 0 {
		t.Errorf("second skip: %+v", r.skipped[1])
	}
}

// referencePrefix is what a frame starts with.
func referencePrefix(key string, shard, seq byte) []byte {
	b := append([]byte{byte(len(key))}, key...)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, shard, 0, 0, 0, 0, 0, 0, 0, seq)
	return b
}

// TestDamageAtTheEndIsReported: what is behind it cannot be seen, so the end is
// not all there is to say.
func TestDamageAtTheEndIsReported(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Beacon = 1 << 20 })
	r.produce("a", numbers(0, 20)...)
	b := r.read()
	b[bytes.Index(b, referencePrefix("a", 0, 11))] = 0xFF
	r.write(b)
	r.same("messages", values(r.all("a")), numbers(0, 10))
	if len(r.skipped) != 1 {
		t.Fatalf("skips: %v", r.skipped)
	}
	c := r.consumer(r.connect(), earliest(), "a")
	r.expect(c, numbers(0, 10)...)
	r.await("the report", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.skipped) == 2 })
	r.produce("a", "more")
	r.expect(c, "more")
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.skipped) != 2 {
		t.Errorf("skips: %v", r.skipped)
	}
}

// TestAMessageWithoutItsEnvelopeIsNotDelivered: without its key it would be
// another message.
func TestAMessageWithoutItsEnvelopeIsNotDelivered(t *testing.T) {
	for name, spoil := range map[string]func(b []byte, env int){
		"a wrong checksum": func(b []byte, env int) { b[env+1+len(ss.Internal)+28+5]++ },
		"among bytes that cannot be read": func(b []byte, env int) {
			b[env-40]++ // the frame before
			b[env-41-8] = 0xFF
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p := r.producer(r.connect(), "a")
			for i := range 60 {
				r.send(p, streamer.Record{Key: []byte("key"), Value: fmt.Append(nil, i)})
			}
			b := r.read()
			spoil(b, bytes.Index(b, append(append([]byte{21}, ss.Internal...), referencePrefix("a", 0, 21)[2:]...)))
			r.write(b)
			for _, m := range r.all("a") {
				if string(m.Key) != "key" {
					t.Errorf("message %v came with key %q", m.Seq, m.Key)
				}
			}
			if len(r.skipped) == 0 {
				t.Error("nothing was reported")
			}
		})
	}
}
