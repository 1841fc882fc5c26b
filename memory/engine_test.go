package memory_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/memory"
)

// hang is how long a test waits for what must happen.
const hang = 10 * time.Second

// program is a Streamer on a log of the test's own, with a stream "s".
type program struct {
	*testing.T
	streamer.Streamer
	log *memory.Log
	ctx context.Context
}

func start(t *testing.T, options string, o streamer.StreamerOptions) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	t.Cleanup(cancel)
	name := fmt.Sprintf("%x", t.Name()) // a host has no slashes
	s, err := streamer.ConnectWith(ctx, "memory://"+name+"/s?"+options, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		memory.Drop(name)
	})
	return &program{t, s, memory.Open(name), ctx}
}

func (p *program) producer(o streamer.ProducerOptions) streamer.Producer {
	p.Helper()
	pr, err := p.Producer(p.ctx, o)
	p.ok(err)
	return pr
}

func (p *program) consumer(o streamer.ConsumerOptions) streamer.Consumer {
	p.Helper()
	c, err := p.Consumer(p.ctx, o)
	p.ok(err)
	return c
}

func (p *program) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *program) next(c streamer.Consumer, want string) *streamer.Message {
	p.Helper()
	m, err := c.Next(p.ctx)
	p.ok(err)
	if string(m.Value) != want {
		p.Fatalf("next is %q, want %q", m.Value, want)
	}
	return m
}

func value(i int) streamer.Record { return streamer.Record{Value: fmt.Append(nil, i)} }

func TestBothDoorsOpenTheSameLog(t *testing.T) {
	p := start(t, "shards=3&acks=message&groups=dealt&create=always", streamer.StreamerOptions{})
	info, err := p.Admin().Describe(p.ctx, "s")
	if !errors.Is(err, streamer.ErrNotFound) {
		t.Fatalf("%v %v", info, err)
	}
	p.consumer(streamer.ConsumerOptions{})
	other, err := memory.Connect(p.ctx, memory.Config{Log: fmt.Sprintf("%x", t.Name())}, streamer.StreamerOptions{})
	p.ok(err)
	defer other.Close()
	info, err = other.Admin().Describe(p.ctx, "s")
	p.ok(err)
	if len(info.Shards) != 3 {
		t.Errorf("%d shards", len(info.Shards))
	}
}

func TestWrongOptionsAreRefusedAtConnect(t *testing.T) {
	for _, uri := range []string{
		"memory://x/s?shards=0", "memory://x/s?shards=-1", "memory://x/s?shards=99999999999999999999", "memory://x/s?shards=many",
		"memory://x/s?acks=batch", "memory://x/s?groups=", "memory://x/s?create=maybe", "memory://x/s?shard=1", "memory://u:p@x/s", "memory://a,b/s",
	} {
		if s, err := streamer.Connect(t.Context(), uri); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%s: %v, %v", uri, s, err)
		}
	}
	for _, c := range []memory.Config{{Shards: -1}, {Shards: memory.MaxShards + 1}, {Acks: 2}, {Groups: 2}, {Create: 9}} {
		if s, err := memory.Connect(t.Context(), c, streamer.StreamerOptions{}); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%+v: %v, %v", c, s, err)
		}
	}
}

func TestADroppedLogIsForgottenByName(t *testing.T) {
	p := start(t, "", streamer.StreamerOptions{})
	pr := p.producer(streamer.ProducerOptions{})
	memory.Drop(fmt.Sprintf("%x", t.Name()))
	_, err := pr.Send(p.ctx, value(1)).Wait(p.ctx)
	p.ok(err)
	other, err := memory.Connect(p.ctx, memory.Config{Log: fmt.Sprintf("%x", t.Name())}, streamer.StreamerOptions{})
	p.ok(err)
	defer other.Close()
	if names, err := other.Admin().Streams(p.ctx, ""); err != nil || len(names) != 0 {
		t.Errorf("%v %v", names, err)
	}
}

func TestARecordStoredAndReportedAsTransientComesTwice(t *testing.T) {
	p := start(t, "reset=earliest", streamer.StreamerOptions{})
	p.log.Inject(memory.Fault{On: memory.Write, Times: 1, Err: errors.New("reset by peer"), Transient: true, Stored: true})
	pr := p.producer(streamer.ProducerOptions{})
	for i := range 3 {
		pr.Send(p.ctx, value(i))
	}
	p.ok(pr.Flush(p.ctx))
	c := p.consumer(streamer.ConsumerOptions{})
	for _, want := range []string{"0", "0", "1", "2"} {
		p.next(c, want)
	}
}

func TestAWedgedLogEndsInErrUnknown(t *testing.T) {
	p := start(t, "", streamer.StreamerOptions{})
	pr := p.producer(streamer.ProducerOptions{DeliveryTimeout: 50 * time.Millisecond})
	defer p.log.Wedge()()
	if _, err := pr.Send(p.ctx, value(1)).Wait(p.ctx); !errors.Is(err, streamer.ErrUnknown) {
		t.Fatal(err)
	}
}

func TestACommitIsRetriedUntilItSucceeds(t *testing.T) {
	for _, acks := range []string{"cursor", "message"} {
		for _, mode := range []string{"resumable", "load-balanced"} {
			t.Run(acks+mode, func(t *testing.T) {
				var retried atomic.Int32
				p := start(t, "reset=earliest&group=g&commit=never&acks="+acks+"&mode="+mode, streamer.StreamerOptions{
					Hooks: streamer.Hooks{Retrying: func(streamer.RetryEvent) { retried.Add(1) }},
				})
				pr := p.producer(streamer.ProducerOptions{})
				for i := range 5 {
					pr.Send(p.ctx, value(i))
				}
				c := p.consumer(streamer.ConsumerOptions{})
				p.next(c, "0").Ack()
				p.log.Inject(memory.Fault{On: memory.Commit, Times: 3, Err: errors.New("busy"), Transient: true})
				p.ok(c.Commit(p.ctx))
				p.ok(c.Close())
				if n := retried.Load(); n < 3 {
					t.Errorf("%d retries", n)
				}
				p.next(p.consumer(streamer.ConsumerOptions{}), "1")
			})
		}
	}
}

func TestALostShardComesBackWithWhatWasNotCommitted(t *testing.T) {
	for _, mode := range []string{"resumable", "load-balanced"} {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprint(mode, lost), func(t *testing.T) {
				p := start(t, "reset=earliest&group=g&commit=never&mode="+mode, streamer.StreamerOptions{})
				pr := p.producer(streamer.ProducerOptions{})
				for i := range 5 {
					pr.Send(p.ctx, value(i))
				}
				c := p.consumer(streamer.ConsumerOptions{})
				p.next(c, "0").Ack()
				p.ok(c.Commit(p.ctx))
				p.next(c, "1").Ack()
				take, next := p.log.Revoke, "2"
				if lost {
					take, next = p.log.Lose, "1"
				}
				giveBack, err := take("g", streamer.StreamShard{Stream: "s"})
				p.ok(err)
				if all := c.Assignment(); len(all) != 0 {
					t.Errorf("still assigned: %v", all)
				}
				giveBack()
				p.next(c, next)
			})
		}
	}
}
