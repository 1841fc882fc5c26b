package streamer

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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
func watched(t *testing.T, f func(t *testing.T, o *observer, l *logged, hooks *[]RetryEvent)) {
	synctest.Test(t, func(t *testing.T) {
		var l logged
		var events []RetryEvent
		f(t, &observer{log: l.logger(), hooks: &Hooks{Retrying: func(e RetryEvent) { events = append(events, e) }}}, &l, &events)
	})
}

// away lets everything fail for a time.
func away(o *observer, d time.Duration) (tries int) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		o.retrying("read", errAway, time.Second)
		o.retrying("commit", errAway, time.Second)
		o.beneath("connect", fmt.Errorf("broker %d: %w", tries, errAway), 0)
		tries += 3
	}
	return tries
}

func TestAServerThatIsAwayIsOneLineInTheLogAndEveryTryInTheHook(t *testing.T) {
	watched(t, func(t *testing.T, o *observer, l *logged, events *[]RetryEvent) {
		tries := away(o, 20*time.Second)
		l.check(t, "level=WARN msg=retrying")
		if len(*events) != tries {
			t.Errorf("the hook was called %d times, want %d", len(*events), tries)
		}
		o.beneath("connect", nil, 0)
		time.Sleep(settled)
		o.succeeded("read")
		o.succeeded("commit")
		l.check(t, "retrying", "level=INFO msg=\"going on\"")
		if len(*events) != tries {
			t.Error("the hook was called for what works again")
		}
	})
}

func TestEveryTimeThatAServerIsAwayIsALine(t *testing.T) {
	watched(t, func(t *testing.T, o *observer, l *logged, _ *[]RetryEvent) {
		for range 3 {
			o.beneath("connect", errAway, 0)
			time.Sleep(time.Second)
			o.beneath("connect", nil, 0)
			time.Sleep(settled)
		}
		l.check(t, "retrying", "going on", "retrying", "going on", "retrying", "going on")
	})
}

func TestAServerThatComesBackAndRefusesForAMomentIsNoSecondLine(t *testing.T) {
	watched(t, func(t *testing.T, o *observer, l *logged, _ *[]RetryEvent) {
		o.beneath("connect", errAway, 0)
		time.Sleep(time.Second)
		o.beneath("connect", nil, 0)
		o.retrying("read", ErrNotFound, 0)
		l.check(t, "retrying", "going on")
		for range 30 { // it is no moment
			time.Sleep(time.Second)
			o.retrying("read", ErrNotFound, 0)
		}
		l.check(t, "retrying", "going on", "retrying")
	})
}

func TestOneOfSeveralServersAwayIsOneLineThoughTheOthersAreRead(t *testing.T) {
	watched(t, func(t *testing.T, o *observer, l *logged, _ *[]RetryEvent) {
		for range 60 {
			o.retrying("read", errAway, time.Second)
			time.Sleep(time.Second)
			o.succeeded("read")
			o.beneath("read", errAway, time.Second)
			o.succeeded("read")
		}
		l.check(t, "retrying")
	})
}

func TestWhatNobodySaysIsOverIsOverWhenItIsCalm(t *testing.T) {
	watched(t, func(t *testing.T, o *observer, l *logged, _ *[]RetryEvent) {
		o.beneath("look at a new shard", errAway, time.Minute)
		time.Sleep(time.Minute)
		o.beneath("look at a new shard", errAway, time.Minute)
		l.check(t, "retrying")
		time.Sleep(time.Minute + calm + time.Second)
		o.beneath("look at a new shard", errAway, time.Minute)
		l.check(t, "retrying", "retrying")
	})
}

func TestAnotherReasonThatAUserHasToKnowIsALine(t *testing.T) {
	watched(t, func(t *testing.T, o *observer, l *logged, _ *[]RetryEvent) {
		for _, err := range []error{errAway, ErrDenied, errAway, &Error{Kind: ErrDenied, Err: errAway}, ErrThrottled, ErrThrottled} {
			o.retrying("read", err, 0)
		}
		l.check(t, "connection refused", "denied", "throttled")
	})
}

func TestAShardThatIsStalledIsOneLineUntilItMoves(t *testing.T) {
	watched(t, func(t *testing.T, o *observer, l *logged, _ *[]RetryEvent) {
		stalls := 0
		o.hooks.Stalled = func(StallEvent) { stalls++ }
		at := StreamShard{Stream: "s"}
		for _, oldest := range []int{1, 1, 1, 2, 2} {
			o.stalled(StallEvent{StreamShard: at, Oldest: SeqUint(uint64(oldest))})
		}
		l.check(t, "oldest=1", "oldest=2")
		if stalls != 5 {
			t.Errorf("the hook was called %d times", stalls)
		}
	})
}

func TestAProducerWhoseServerIsAwayLogsALineWhenItGoesAndOneWhenItIsBack(t *testing.T) {
	var l logged
	var retries seen[RetryEvent]
	o := StreamerOptions{Logger: l.logger(), Hooks: Hooks{Retrying: retries.add}}
	inBubble(t, abilities{}, o, func(t *testing.T, r *rig) {
		const tries = 20
		for range tries {
			r.fails("write", Transient(errAway, time.Second))
		}
		p := r.producer(ProducerOptions{})
		r.send(p, "a")
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(settled)
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
	for _, mode := range []ConsumerMode{RealTime, Resumable, LoadBalanced} {
		var l logged
		inBubble(t, abilities{cursor: true}, StreamerOptions{Logger: l.logger()}, func(t *testing.T, r *rig) {
			for range 20 {
				r.fails("fetch", Transient(errAway, time.Second))
			}
			r.add(0, 1)
			c := r.consumer(ConsumerOptions{Mode: mode})
			r.take(c, 1)
			r.sleep(settled)
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
