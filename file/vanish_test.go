package file

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

// TestVanishedUnderAConsumer: deleted, replaced, cut off or rewritten, it is
// one error, after what was there was delivered.
func TestVanishedUnderAConsumer(t *testing.T) {
	for name, vanish := range map[string]func(r *rig){
		"deleted":  func(r *rig) { r.ok(os.Remove(r.cfg.Path)) },
		"renamed":  func(r *rig) { r.ok(os.Rename(r.cfg.Path, r.cfg.Path+".old")) },
		"cut off":  func(r *rig) { r.ok(os.Truncate(r.cfg.Path, 150)) },
		"emptied":  func(r *rig) { r.ok(os.Truncate(r.cfg.Path, 0)) },
		"replaced": func(r *rig) { r.write2(newForeign(1 << 10).b) },
		"written anew": func(r *rig) {
			f := newForeign(1 << 10)
			f.send("a", numbers(0, 100)...)
			r.write(f.b)
		},
	} {
		t.Run(name, func(t *testing.T) { vanishes(t, vanish) })
		t.Run(name+", without notices", func(t *testing.T) { vanishes(t, vanish, (*rig).withoutNotices) })
	}
}

func vanishes(t *testing.T, vanish func(*rig), prepare ...func(*rig)) {
	r := newRig(t)
	for _, p := range prepare {
		p(r)
	}
	r.produce("a", numbers(0, 10)...)
	c := r.consumer(r.connect(), earliest(), "a")
	r.expect(c, numbers(0, 10)...)
	vanish(r)
	for range 2 {
		_, err := c.Next(r.ctx)
		r.is(err, streamer.ErrNotFound)
		var e *streamer.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), r.cfg.Path) {
			t.Errorf("error %v", err)
		}
	}
}

// write2 puts a new file in the log's place.
func (r *rig) write2(b []byte) {
	r.Helper()
	r.ok(os.WriteFile(r.cfg.Path+".new", b, 0o644))
	r.ok(os.Rename(r.cfg.Path+".new", r.cfg.Path))
}

// TestConsumersThatMakeLogsGoOn: with create=always they read what takes the
// place of a log that vanished, from its beginning.
func TestConsumersThatMakeLogsGoOn(t *testing.T) {
	for _, mode := range []streamer.ConsumerOptions{earliest(), resumable("g")} {
		r := newRig(t, func(c *Config) { c.Create = streamer.CreateAlways })
		s := r.connect()
		c := r.consumer(s, mode, "a")
		for turn := range 3 {
			r.produce("a", numbers(0, 5)...)
			for _, m := range r.expect(c, numbers(0, 5)...) {
				m.Ack()
			}
			r.ok(c.Commit(r.ctx))
			if turn == 1 {
				f := newForeign(1 << 10)
				r.write2(f.b) // replaced
			} else {
				r.ok(os.Remove(r.cfg.Path))
			}
		}
	}
}
