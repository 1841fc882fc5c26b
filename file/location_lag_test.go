package file

import (
	"errors"
	"testing"

	"github.com/gostreamer/streamer"
)

// TestLagAndAdminAreOfTheLogThatThePathLeadsTo: what was counted of one does
// not hold for the next, whose streams may be others. Until a consumer
// continues in that, nothing can be said of it.
func TestLagAndAdminAreOfTheLogThatThePathLeadsTo(t *testing.T) {
	for mode, o := range map[string]streamer.ConsumerOptions{"resumable": resumable("g"), "load-balanced": balanced("g")} {
		t.Run(mode, func(t *testing.T) {
			eachFork(t, func(c *Config) { c.Create = streamer.CreateAlways }, func(f *fork) {
				f.at(f.other, "a", numbers(0, 3)...)
				f.at(f.other, "b", numbers(0, 5)...)
				s := f.connect()
				c := f.consumer(s, o, wildcard)
				f.lagBecomes(c, 10)
				_, err := s.Admin().Describe(f.ctx, "b")
				f.is(err, streamer.ErrNotFound)
				for _, m := range f.expect(c, numbers(0, 10)...) {
					m.Ack()
				}
				f.ok(c.Commit(f.ctx))
				f.lagBecomes(c, 0)
				f.turn()
				f.lagBecomes(c, 8)
				for _, name := range []string{"a", "b"} {
					info, err := s.Admin().Describe(f.ctx, name)
					f.ok(err)
					if want := map[string]string{"a": "4", "b": "6"}[name]; info.Shards[0].Next.String() != want {
						t.Errorf("the next of %s is %v, want %s", name, info.Shards[0].Next, want)
					}
					groups, err := s.Admin().Groups(f.ctx, name)
					f.ok(err)
					if len(groups) != 1 || groups[0].Members != 1 {
						t.Errorf("groups of %s: %+v", name, groups)
					}
				}
			})
		})
	}
}

// lagBecomes waits until so many messages are left in all.
func (f *fork) lagBecomes(c streamer.Consumer, want int64) {
	f.Helper()
	n := int64(-1)
	f.await("the lag", func() bool {
		lag, err := c.Lag(f.ctx)
		if errors.Is(err, streamer.ErrNotFound) {
			return false
		}
		f.ok(err)
		n = 0
		for _, l := range lag {
			n += l.Messages
		}
		return n == want
	})
}
