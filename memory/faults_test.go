package memory

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

var errInjected = errors.New("injected")

// outcomes writes one record per value and renders what became of each: its
// sequence number or "x".
func (r *rig) outcomes(s *sink, values ...string) (got []string, err error) {
	r.Helper()
	var records []streamer.Record
	for _, v := range values {
		records = append(records, streamer.Record{Stream: "s", Value: []byte(v)})
	}
	p := pendings(records...)
	err = s.Write(r.Context(), p)
	for i := range p {
		select {
		case <-p[i].Receipt().Done():
			m, err := p[i].Receipt().Wait(r.Context())
			if err != nil {
				got = append(got, "x")
				continue
			}
			got = append(got, m.Seq.String())
		default:
			got = append(got, "-")
		}
	}
	return got, err
}

func (r *rig) stored() []string {
	r.Helper()
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}})
	defer rd.close()
	s := base(rd.src)
	var got []string
	for {
		n, report, err := s.take(1000)
		r.ok(err)
		if report != nil {
			report()
			s.emitted()
			continue
		}
		if n == 0 {
			return got
		}
		got = append(got, values(s.deliver(n))...)
		s.emitted()
	}
}

func TestWriteFaults(t *testing.T) {
	a, b, c := "a", "b", "c"
	isB := func(r streamer.Record) bool { return string(r.Value) == b }
	for _, x := range []struct {
		name     string
		f        Fault
		outcomes []string
		err      error
		stored   []string
	}{
		{"a record fails and its neighbours are stored", Fault{On: Write, Record: isB, Err: errInjected}, []string{"0", "x", "1"}, nil, []string{a, c}},
		{"n records fail", Fault{On: Write, Times: 2, Err: errInjected}, []string{"x", "x", "0"}, nil, []string{c}},
		{"after n that are spared", Fault{On: Write, Skip: 1, Times: 1, Err: errInjected}, []string{"0", "x", "1"}, nil, []string{a, c}},
		{"what is transient leaves the rest for another try", Fault{On: Write, Record: isB, Err: errInjected, Transient: true}, []string{"0", "-", "-"}, errInjected, []string{a}},
		{"stored, outcome unknown", Fault{On: Write, Record: isB, Err: streamer.ErrUnknown, Stored: true}, []string{"0", "x", "2"}, nil, []string{a, b, c}},
		{"stored, and to be repeated", Fault{On: Write, Record: isB, Err: errInjected, Transient: true, Stored: true}, []string{"0", "-", "-"}, errInjected, []string{a, b}},
		{"lost", Fault{On: Write, Record: isB, Lost: true}, []string{"0", "1", "2"}, nil, []string{a, c}},
		{"another stream", Fault{Stream: "other", Err: errInjected}, []string{"0", "1", "2"}, nil, []string{a, b, c}},
		{"another shard", Fault{Shard: new(streamer.ShardID(1)), Err: errInjected}, []string{"0", "1", "2"}, nil, []string{a, b, c}},
		{"this shard", Fault{Shard: new(streamer.ShardID(0)), Err: errInjected}, []string{"x", "x", "x"}, nil, nil},
		{"another operation", Fault{On: Fetch | Commit | Control, Times: 1, Err: errInjected}, []string{"0", "1", "2"}, nil, []string{a, b, c}},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := newRig(t, Config{})
			s := r.sink("s")
			clear := r.log.Inject(x.f)
			got, err := r.outcomes(s, a, b, c)
			clear()
			clear()
			r.is(err, x.err)
			equal(t, got, x.outcomes)
			equal(t, r.stored(), x.stored)
			got, err = r.outcomes(s, "later")
			r.ok(err)
			if got[0] == "x" || got[0] == "-" {
				t.Errorf("a cleared fault goes on: %v", got)
			}
		})
	}
}

func TestFetchFaultsReachTheOneWhoWaits(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	r.create("other", 1)
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}})
	got := make(chan error, 1)
	wait := func() { go func() { _, err := rd.fetch(); got <- err }() }
	wait()
	r.log.Inject(Fault{On: Fetch, Stream: "other", Err: errInjected})
	r.log.Inject(Fault{On: Fetch, Shard: new(streamer.ShardID(7)), Err: errInjected})
	r.log.Inject(Fault{On: Fetch, Times: 1, Err: errInjected})
	r.is(<-got, errInjected)
	wait()
	r.send("s", 0, 0, 1)
	r.is(<-got, nil)
}

func TestADisconnectedLogFailsEveryCallUntilItIsRestored(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g"})
	s := r.sink("s")
	got := make(chan error, 1)
	go func() { _, err := rd.fetch(); got <- err }()
	restore := r.log.Disconnect()
	r.is(<-got, ErrDisconnected)
	_, err := rd.fetch()
	r.is(err, ErrDisconnected)
	r.is(rd.commit("s", 0, 0), ErrDisconnected)
	outcomes, err := r.outcomes(s, "a", "b")
	r.is(err, ErrDisconnected)
	equal(t, outcomes, []string{"-", "-"})
	_, err = rd.src.(driver.Lagger).Lag(t.Context())
	r.is(err, ErrDisconnected)
	r.is(r.Ping(t.Context()), ErrDisconnected)
	_, err = r.Streams(t.Context(), "")
	r.is(err, ErrDisconnected)
	_, err = r.tryOpen(driver.SourceConfig{Streams: []string{"s"}})
	r.is(err, ErrDisconnected)
	_, err = r.OpenSink(t.Context(), driver.SinkConfig{Stream: "s"})
	r.is(err, ErrDisconnected)
	restore()
	r.send("s", 0, 0, 2)
	equal(t, rd.values(2), numbers(0, 2))
	r.ok(rd.commit("s", 0, 1))
	r.ok(r.Ping(t.Context()))
	equal(t, rd.log(), []string{"assigned 1"})
}

func TestAWedgedLogAnswersNobodyUntilItIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		r.create("s", 1)
		rd := r.open(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g"})
		s := r.sink("s")
		release := r.log.Wedge()
		calls := map[string]func(ctx context.Context) error{
			"fetch":  func(ctx context.Context) error { return rd.src.Fetch(ctx, func([]streamer.Message) {}) },
			"write":  func(ctx context.Context) error { return s.Write(ctx, pendings(streamer.Record{Stream: "s"})) },
			"ping":   r.Ping,
			"commit": func(ctx context.Context) error { return base(rd.src).commitAt(ctx, 0) },
		}
		for name, call := range calls {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
		}
		done := make(chan error)
		for _, call := range calls {
			go func() { done <- call(t.Context()) }()
		}
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("a call returned: %v", err)
		default:
		}
		release()
		for range calls {
			r.ok(<-done)
		}
		rd.close()
	})
}

func (s *source) commitAt(ctx context.Context, seq uint64) error {
	return cursorSource{s}.CommitCursors(ctx, []driver.Mark{{StreamShard: at("s", 0), Seq: streamer.SeqUint(seq)}})
}

func TestADelayIsWaitedOncePerCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		s := r.sink("s")
		r.log.Inject(Fault{On: Write, Delay: 3 * time.Second})
		r.log.Inject(Fault{On: Write, Delay: 4 * time.Second, Times: 3})
		from := time.Now()
		got, err := r.outcomes(s, "a", "b", "c")
		r.ok(err)
		equal(t, got, numbers(0, 3))
		if d := time.Since(from); d != 7*time.Second {
			t.Errorf("waited %v", d)
		}
		_, err = r.outcomes(s, "d")
		r.ok(err)
		if d := time.Since(from); d != 10*time.Second {
			t.Errorf("waited %v", d)
		}
	})
}

func TestCommitFaults(t *testing.T) {
	for _, acks := range []Acks{ByCursor, ByMessage} {
		for _, x := range []struct {
			name    string
			f       Fault
			err     error
			again   int // how many of the 10 in shard 0 come again
			another int // and of those in shard 1
		}{
			{"fails", Fault{On: Commit, Err: errInjected}, errInjected, 10, 10},
			{"fails in one shard", Fault{On: Commit, Shard: new(streamer.ShardID(0)), Err: errInjected}, errInjected, 10, 0},
			{"is durable and reported as failed", Fault{On: Commit, Err: errInjected, Stored: true}, errInjected, 0, 0},
			{"is lost", Fault{On: Commit, Lost: true}, nil, 10, 10},
			{"is lost in one shard", Fault{On: Commit, Shard: new(streamer.ShardID(1)), Lost: true}, nil, 0, 10},
			{"of another stream", Fault{On: Commit, Stream: "other", Err: errInjected}, nil, 0, 0},
		} {
			t.Run(fmt.Sprint(acks, " ", x.name), func(t *testing.T) {
				r := newRig(t, Config{Acks: acks})
				r.create("s", 2)
				c := driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g"}
				r.send("s", 0, 0, 10)
				r.send("s", 1, 0, 10)
				rd := r.open(c)
				got := rd.read(20)
				clear := r.log.Inject(x.f)
				r.is(rd.commitAll(got), x.err)
				clear()
				rd.close()
				rd = r.open(c)
				count := map[streamer.ShardID]int{}
				if x.again+x.another > 0 {
					for _, m := range rd.read(x.again + x.another) {
						count[m.Shard]++
					}
				}
				rd.nothing()
				if count[0] != x.again || count[1] != x.another {
					t.Errorf("%d and %d come again, want %d and %d", count[0], count[1], x.again, x.another)
				}
			})
		}
	}
}

// commitAll commits the messages of both shards in one call.
func (rd *reader) commitAll(got []streamer.Message) error {
	last := map[streamer.StreamShard]streamer.SeqNo{}
	for _, m := range got {
		last[streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}] = m.Seq
	}
	if c, ok := rd.src.(driver.CursorCommitter); ok {
		var marks []driver.Mark
		for at, seq := range last {
			marks = append(marks, driver.Mark{StreamShard: at, Seq: seq})
		}
		return c.CommitCursors(rd.Context(), marks)
	}
	return rd.ack(got...)
}

func TestLostMessagesArePassedOver(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 2)
	r.send("s", 0, 0, 5)
	r.send("s", 1, 10, 5)
	r.log.Inject(Fault{On: Fetch, Shard: new(streamer.ShardID(0)), Skip: 1, Times: 3, Lost: true})
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}})
	equal(t, rd.values(7), []string{"0", "4", "10", "11", "12", "13", "14"})
	r.log.Inject(Fault{On: Fetch, Times: 2, Lost: true})
	r.send("s", 0, 5, 3)
	equal(t, rd.values(1), []string{"7"})
}

func TestALostWriteIsAHoleThatReadersPass(t *testing.T) {
	for _, acks := range []Acks{ByCursor, ByMessage} {
		r := newRig(t, Config{Acks: acks})
		s := r.sink("s")
		r.log.Inject(Fault{On: Write, Skip: 1, Times: 1, Lost: true})
		_, err := r.outcomes(s, "0", "1", "2")
		r.ok(err)
		rd := r.open(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g"})
		equal(t, rd.values(2), []string{"0", "2"})
		equal(t, rd.log(), []string{"assigned 1", "progress 1"})
		Drop(t.Name())
	}
}

func TestARevokedShardComesBackWhereItWasCommitted(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.Resumable, streamer.LoadBalanced} {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprint(mode, lost), func(t *testing.T) {
				r := newRig(t, Config{})
				r.create("s", 2)
				r.send("s", 0, 0, 10)
				rd := r.member("g", "a", mode)
				rd.read(10)
				r.ok(rd.commit("s", 0, 2))
				var during error
				rd.onTake = func([]streamer.StreamShard, bool) { during = rd.commit("s", 0, 6) }
				take, next, err := r.log.Revoke, 7, error(nil)
				if lost {
					take, next, err = r.log.Lose, 3, streamer.ErrFenced
				}
				giveBack, takeErr := take("g", at("s", 0))
				r.ok(takeErr)
				r.is(during, err)
				equal(t, rd.shards(), []streamer.ShardID{1})
				r.is(rd.commit("s", 0, 8), streamer.ErrFenced)
				r.ok(rd.commit("s", 1, 0))
				rd.nothing()
				giveBack()
				equal(t, rd.values(10-next), numbers(next, 10-next))
				equal(t, rd.log(), []string{"assigned 2", fmt.Sprintf("revoked 1 %t", lost), "assigned 2"})
			})
		}
	}
}

func TestFaultsNameWhatIsMissing(t *testing.T) {
	r := newRig(t, Config{Acks: ByMessage})
	_, err := r.log.AddShard("s")
	r.is(err, streamer.ErrNotFound)
	r.is(r.log.Trim(at("s", 0), streamer.SeqUint(1)), streamer.ErrNotFound)
	_, err = r.log.AppendUndecodable(at("s", 0))
	r.is(err, streamer.ErrNotFound)
	r.create("s", 1)
	r.is(r.log.Trim(at("s", 1), streamer.SeqUint(1)), streamer.ErrNotFound)
	_, err = r.log.Revoke("g", at("s", 0))
	r.is(err, streamer.ErrNotFound)
	r.member("g", "a", streamer.LoadBalanced)
	_, err = r.log.Lose("g", at("s", 0))
	r.is(err, streamer.ErrUnsupported)
}
