package engine

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/observe"
)

// logged is a log, one line per record: its level, message and operation.
type logged struct{ b bytes.Buffer }

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(&l.b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// check compares the lines, of which each has to contain what is wanted of it.
func (l *logged) check(t *testing.T, want ...string) {
	t.Helper()
	got := strings.Split(strings.TrimSuffix(l.b.String(), "\n"), "\n")
	if l.b.Len() == 0 {
		got = nil
	}
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		ok = strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("the log has %d lines, want %d: %q\n%s", len(got), len(want), want, l.b.String())
	}
}

var errAway = errors.New("connection refused")

// watched runs f with an observer in a bubble.
func watched(t *testing.T, f func(t *testing.T, o *observe.Observer, l *logged, hooks *[]streamer.RetryEvent)) {
	synctest.Test(t, func(t *testing.T) {
		var l logged
		var events []streamer.RetryEvent
		f(t, &observe.Observer{Log: l.logger(), Hooks: &streamer.Hooks{Retrying: func(e streamer.RetryEvent) { events = append(events, e) }}}, &l, &events)
	})
}

// away lets everything fail for a time.
func away(o *observe.Observer, d time.Duration) (tries int) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		o.Retrying("read", errAway, time.Second)
		o.Retrying("commit", errAway, time.Second)
		o.Beneath("connect", fmt.Errorf("broker %d: %w", tries, errAway), 0)
		tries += 3
	}
	return tries
}

func TestAServerThatIsAwayIsOneLineInTheLogAndEveryTryInTheHook(t *testing.T) {
	watched(t, func(t *testing.T, o *observe.Observer, l *logged, events *[]streamer.RetryEvent) {
		tries := away(o, 20*time.Second)
		l.check(t, "level=WARN msg=retrying")
		if len(*events) != tries {
			t.Errorf("the hook was called %d times, want %d", len(*events), tries)
		}
		o.Beneath("connect", nil, 0)
		time.Sleep(observe.MinGap)
		o.Succeeded("read")
		o.Succeeded("commit")
		l.check(t, "retrying", "level=INFO msg=\"going on\"")
		if len(*events) != tries {
			t.Error("the hook was called for what works again")
		}
	})
}

func TestEveryTimeThatAServerIsAwayIsALine(t *testing.T) {
	watched(t, func(t *testing.T, o *observe.Observer, l *logged, _ *[]streamer.RetryEvent) {
		for range 3 {
			o.Beneath("connect", errAway, 0)
			time.Sleep(time.Second)
			o.Beneath("connect", nil, 0)
			time.Sleep(observe.MinGap)
		}
		l.check(t, "retrying", "going on", "retrying", "going on", "retrying", "going on")
	})
}

func TestAServerThatComesBackAndRefusesForAMomentIsNoSecondLine(t *testing.T) {
	watched(t, func(t *testing.T, o *observe.Observer, l *logged, _ *[]streamer.RetryEvent) {
		o.Beneath("connect", errAway, 0)
		time.Sleep(time.Second)
		o.Beneath("connect", nil, 0)
		o.Retrying("read", streamer.ErrNotFound, 0)
		l.check(t, "retrying", "going on")
		for range 30 { // it is no moment
			time.Sleep(time.Second)
			o.Retrying("read", streamer.ErrNotFound, 0)
		}
		l.check(t, "retrying", "going on", "retrying")
	})
}

func TestOneOfSeveralServersAwayIsOneLineThoughTheOthersAreRead(t *testing.T) {
	watched(t, func(t *testing.T, o *observe.Observer, l *logged, _ *[]streamer.RetryEvent) {
		for range 60 {
			o.Retrying("read", errAway, time.Second)
			time.Sleep(time.Second)
			o.Succeeded("read")
			o.Beneath("read", errAway, time.Second)
			o.Succeeded("read")
		}
		l.check(t, "retrying")
	})
}

func TestWhatNobodySaysIsOverIsOverWhenItIsCalm(t *testing.T) {
	watched(t, func(t *testing.T, o *observe.Observer, l *logged, _ *[]streamer.RetryEvent) {
		o.Beneath("look at a new shard", errAway, time.Minute)
		time.Sleep(time.Minute)
		o.Beneath("look at a new shard", errAway, time.Minute)
		l.check(t, "retrying")
		time.Sleep(time.Minute + observe.Quiet + time.Second)
		o.Beneath("look at a new shard", errAway, time.Minute)
		l.check(t, "retrying", "retrying")
	})
}

func TestAnotherReasonThatAUserHasToKnowIsALine(t *testing.T) {
	watched(t, func(t *testing.T, o *observe.Observer, l *logged, _ *[]streamer.RetryEvent) {
		for _, err := range []error{errAway, streamer.ErrDenied, errAway, &streamer.Error{Kind: streamer.ErrDenied, Err: errAway}, streamer.ErrThrottled, streamer.ErrThrottled} {
			o.Retrying("read", err, 0)
		}
		l.check(t, "connection refused", "denied", "throttled")
	})
}

func TestAShardThatIsStalledIsOneLineUntilItMoves(t *testing.T) {
	watched(t, func(t *testing.T, o *observe.Observer, l *logged, _ *[]streamer.RetryEvent) {
		stalls := 0
		o.Hooks.Stalled = func(streamer.StallEvent) { stalls++ }
		at := streamer.StreamShard{Stream: "s"}
		for _, oldest := range []int{1, 1, 1, 2, 2} {
			o.Stalled(streamer.StallEvent{StreamShard: at, Oldest: streamer.SeqUint(uint64(oldest))})
		}
		l.check(t, "oldest=1", "oldest=2")
		if stalls != 5 {
			t.Errorf("the hook was called %d times", stalls)
		}
	})
}

func TestAProducerWhoseServerIsAwayLogsALineWhenItGoesAndOneWhenItIsBack(t *testing.T) {
	var l logged
	var retries seen[streamer.RetryEvent]
	o := streamer.StreamerOptions{Logger: l.logger(), Hooks: streamer.Hooks{Retrying: retries.add}}
	inBubble(t, abilities{}, o, func(t *testing.T, r *rig) {
		const tries = 20
		for range tries {
			r.fails("write", driver.Transient(errAway, time.Second))
		}
		p := r.producer(streamer.ProducerOptions{})
		r.send(p, "a")
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(observe.MinGap)
		r.send(p, "b")
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		l.check(t, "msg=retrying", "going on")
		if got := len(retries.all()); got != tries {
			t.Errorf("the hook was called %d times, want %d", got, tries)
		}
	})
}

func TestAConsumerWhoseServerIsAwayLogsALineWhenItGoesAndOneWhenItIsBack(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		var l logged
		inBubble(t, abilities{cursor: true}, streamer.StreamerOptions{Logger: l.logger()}, func(t *testing.T, r *rig) {
			for range 20 {
				r.fails("fetch", driver.Transient(errAway, time.Second))
			}
			r.add(0, 1)
			c := r.consumer(streamer.ConsumerOptions{Mode: mode})
			r.take(c, 1)
			r.sleep(observe.MinGap)
			r.add(0, 1)
			r.take(c, 1)
			synctest.Wait()
			var lines []string
			for line := range strings.Lines(l.b.String()) {
				if !strings.Contains(line, "assignment") {
					lines = append(lines, line)
				}
			}
			if len(lines) != 2 || !strings.Contains(lines[0], "retrying") || !strings.Contains(lines[1], "going on") {
				t.Errorf("mode %v: the log is %q", mode, lines)
			}
		})
	}
}
