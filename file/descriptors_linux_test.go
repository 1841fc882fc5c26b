package file

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gostreamer/streamer"
)

// spare leaves the process so many file descriptors, until restore is called or
// the test ends.
func (r *rig) spare(n int) (restore func()) {
	r.Helper()
	var old syscall.Rlimit
	r.ok(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	open, err := os.ReadDir("/proc/self/fd")
	r.ok(err)
	few := old
	few.Cur = uint64(len(open) + n + 64)
	r.ok(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few))
	taken := takeAll()
	for range n {
		r.ok(taken[0].Close())
		taken = taken[1:]
	}
	restored := false
	restore = func() {
		if restored {
			return
		}
		restored = true
		for _, f := range taken {
			_ = f.Close()
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
			r.Error(err)
		}
	}
	r.Cleanup(restore)
	return restore
}

// takeAll takes every descriptor that is free.
func takeAll() (taken []*os.File) {
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return taken
		}
		taken = append(taken, f)
	}
}

// TestALogThatCannotBeLookedAtIsNotGone: a source that has no descriptor to see
// whether its log is still there continues when it has one.
func TestALogThatCannotBeLookedAtIsNotGone(t *testing.T) {
	r := newSegmented(t, func(c *Config) { c.Segment = 1 << 20 })
	r.produce("a", numbers(0, 5)...)
	s := r.source("a")
	restore := r.spare(0)
	n := 0
	fetch := func() error { return s.Fetch(r.ctx, func(m []streamer.Message) { n += len(m) }) }
	r.is(fetch(), ErrDescriptors)
	restore()
	for n < 5 {
		r.ok(fetch())
	}
}

// TestAGroupNeedsNoDescriptorForEachShard: thousands of streams fit, those that
// appear while it runs too, and each shard keeps a lock of its own.
func TestAGroupNeedsNoDescriptorForEachShard(t *testing.T) {
	for i, o := range []streamer.ConsumerOptions{resumable("r"), balanced("b")} {
		t.Run(fmt.Sprint("mode ", i), func(t *testing.T) {
			r := newRig(t)
			r.crowd(500, inStreams)
			r.spare(80)
			c := r.consumer(r.connect(), o, wildcard)
			r.crowd(1000, inStreams) // a second message in each, and as many streams again
			got := map[string]bool{}
			for len(got) < 1000 {
				m := r.next(c)
				got[m.Stream] = true
				m.Ack()
			}
			r.ok(c.Commit(r.ctx))
			_, err := r.apart().Consumer(r.ctx, streamer.ConsumerOptions{Streams: []string{"s00999"}, Mode: streamer.Resumable, Group: o.Group})
			r.is(err, streamer.ErrBusy)
		})
	}
}

// TestOpeningWithoutDescriptorsIsTyped, and works as soon as there are some.
func TestOpeningWithoutDescriptorsIsTyped(t *testing.T) {
	for form, rig := range map[string]func(*testing.T, ...func(*Config)) *rig{"file": newRig, "directory": newSegmented} {
		t.Run(form, func(t *testing.T) {
			r := rig(t)
			r.produce("a", numbers(0, 100)...)
			s := r.connect()
			opens := map[string]func() error{
				"consumer":  func() error { return closed(s.Consumer(r.ctx, streamer.ConsumerOptions{Streams: []string{"a"}})) },
				"resumable": func() error { o := resumable("g"); o.Streams = []string{"a"}; return closed(s.Consumer(r.ctx, o)) },
				"balanced":  func() error { o := balanced("h"); o.Streams = []string{"a"}; return closed(s.Consumer(r.ctx, o)) },
				"producer":  func() error { return closed(s.Producer(r.ctx, streamer.ProducerOptions{Stream: "a"})) },
				"describe":  func() error { _, err := s.Admin().Describe(r.ctx, "a"); return err },
				"groups":    func() error { _, err := s.Admin().Groups(r.ctx, "a"); return err },
			}
			for left := range 3 {
				restore := r.spare(left)
				for what, open := range opens {
					err := open()
					if err == nil && left > 0 {
						continue
					}
					if !errors.Is(err, ErrDescriptors) || !errors.Is(err, streamer.ErrThrottled) {
						t.Errorf("%s with %d descriptors: %v", what, left, err)
					}
				}
				restore()
			}
			for what, open := range opens {
				if err := open(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// closed closes what could be opened.
func closed[T interface{ Close() error }](x T, err error) error {
	if err != nil {
		return err
	}
	return x.Close()
}

// TestOpenOnesGoOnWhenDescriptorsAreBack: without any, a consumer and a
// producer wait and say so; nothing is lost or ends.
func TestOpenOnesGoOnWhenDescriptorsAreBack(t *testing.T) {
	for form, rig := range map[string]func(*testing.T, ...func(*Config)) *rig{"file": newRig, "directory": newSegmented} {
		for i, o := range []streamer.ConsumerOptions{earliest(), resumable("g"), balanced("g")} {
			t.Run(fmt.Sprintf("%s, mode %d", form, i), func(t *testing.T) {
				r := rig(t)
				var retried atomic.Int32
				r.o.Hooks.Retrying = func(e streamer.RetryEvent) {
					if errors.Is(e.Err, ErrDescriptors) {
						retried.Add(1)
					}
				}
				r.produce("a", numbers(0, 5)...)
				s := r.connect()
				c, p := r.consumer(s, o, "a"), r.producer(s, "a")
				for _, m := range r.expect(c, numbers(0, 5)...) {
					m.Ack()
				}
				restore := r.spare(0)
				var receipts []*streamer.Receipt
				for _, v := range numbers(5, 500) { // many segments
					receipts = append(receipts, p.Send(r.ctx, streamer.Record{Value: []byte(v)}))
				}
				if form == "directory" || i > 0 {
					go func() { _ = c.Commit(r.ctx) }()
					r.await("a retry", func() bool {
						for _, f := range takeAll() { // that others of the process have given back
							t.Cleanup(func() { _ = f.Close() })
						}
						return retried.Load() > 0
					})
				}
				restore()
				for _, m := range r.expect(c, numbers(5, 500)...) {
					m.Ack()
				}
				for _, receipt := range receipts {
					_, err := receipt.Wait(r.ctx)
					r.ok(err)
				}
				r.ok(c.Commit(r.ctx))
			})
		}
	}
}

// TestGrowthBeyondTheDescriptorsRecovers: streams that appear while a group has
// no descriptor for them are read when there are some.
func TestGrowthBeyondTheDescriptorsRecovers(t *testing.T) {
	for i, o := range []streamer.ConsumerOptions{resumable("r"), balanced("b")} {
		t.Run(fmt.Sprint("mode ", i), func(t *testing.T) {
			r := newRig(t)
			r.produce("s", "0")
			s := r.connect()
			c := r.consumer(s, o, wildcard)
			r.expect(c, "0")[0].Ack()
			p, err := s.Producer(r.ctx, streamer.ProducerOptions{})
			r.ok(err)
			restore := r.spare(0)
			for i := range 200 {
				rec := inStreams(i)
				rec.Value = fmt.Append(nil, i)
				r.send(p, rec)
			}
			r.nothing(c)
			restore()
			var got []string
			for range 200 {
				m := r.next(c)
				got = append(got, string(m.Value))
				m.Ack()
			}
			slices.Sort(got)
			if len(slices.Compact(got)) != 200 {
				t.Errorf("%d different messages of 200", len(slices.Compact(got)))
			}
			r.ok(c.Commit(r.ctx))
		})
	}
}
