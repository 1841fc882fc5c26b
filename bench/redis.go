package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/faultproxy"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/redis"
	goredis "github.com/redis/go-redis/v9"
)

const (
	perRequest = 500              // what raw clients and go-redis send and ask for at once
	oneWay     = time.Millisecond // of the distant server
	few        = 2000             // messages of a trial of a peer that takes a round trip for each
	rawXADD    = "raw XADD, 500 per write, full duplex"
	rawXREAD   = "raw XREAD COUNT 500"
	rawGroup   = "raw XREADGROUP and XACK, 500 per request, two in flight"
)

// redisCases hold what a Streamer does on a server against RESP written by
// hand, go-redis as people write it, and Watermill.
func redisCases() []benchCase {
	near := func(setup func(*redisBed) (pair, error)) func(*bed) (pair, error) { return onRedis(0, setup) }
	far := func(setup func(*redisBed) (pair, error)) func(*bed) (pair, error) { return onRedis(oneWay, setup) }
	return []benchCase{
		{name: "redis/send", trial: bulky, control: rawXADD, goal: goal{speed: 0.9, allocs: allocs(1)}, setup: near((*redisBed).producers)},
		{name: "redis/replay", trial: bulky, control: rawXREAD, goal: goal{speed: 0.6, allocs: allocs(4)}, setup: near((*redisBed).readers)},
		{name: "redis/group", trial: bulky, control: rawGroup, goal: goal{speed: 0.75}, setup: near((*redisBed).members)},
		{name: "redis/2ms/send", control: rawXADD, goal: goal{speed: 0.8}, setup: far((*redisBed).distantProducers)},
		{name: "redis/2ms/replay", control: rawXREAD, goal: goal{speed: 1}, setup: far((*redisBed).distantReaders)},
	}
}

// redisBed is a server with nothing else on it, seen directly or over a wire
// that takes its time.
type redisBed struct {
	*bed
	addr   string // what clients connect to
	client *goredis.Client
}

func onRedis(delay time.Duration, setup func(*redisBed) (pair, error)) func(*bed) (pair, error) {
	return func(b *bed) (pair, error) {
		r, err := newRedisBed(b, delay)
		if err != nil {
			return pair{}, err
		}
		return setup(r)
	}
}

func newRedisBed(b *bed, delay time.Duration) (*redisBed, error) {
	addr, stop, err := testservers.OpenRedis()
	if err != nil {
		return nil, err
	}
	b.atEnd(stop)
	if delay > 0 {
		proxy, err := faultproxy.Listen(addr)
		if err != nil {
			return nil, err
		}
		b.atEnd(proxy.Close)
		proxy.Delay(delay)
		addr = proxy.Addr()
	}
	r := &redisBed{bed: b, addr: addr, client: goredis.NewClient(&goredis.Options{Addr: addr, PoolSize: 128})}
	b.atEnd(r.client.Close)
	return r, nil
}

func (r *redisBed) producers() (pair, error) {
	return pair{r.producing(r.ours, r.messages), r.producing(r.rawAdd, r.messages), []peer{
		{"go-redis, pipeline of 500", 1.3, r.producing(r.pipelined, r.messages)},
		{"Watermill Publish, one goroutine", 5, r.producing(r.published, min(few, r.messages))},
	}}, nil
}

func (r *redisBed) distantProducers() (pair, error) {
	return pair{subject: r.producing(r.ours, r.messages), control: r.producing(r.rawAdd, r.messages)}, nil
}

// producing is trials that fill a fresh stream.
func (r *redisBed) producing(send func(stream string, n int) error, n int) task {
	return func() (trial, error) {
		stream := r.unique("sent")
		return trial{
			messages: n,
			run:      func() (int, error) { return n, send(stream, n) },
			end:      func() error { return r.filled(stream, n) },
		}, nil
	}
}

// filled checks that nothing is missing, and deletes the stream.
func (r *redisBed) filled(stream string, n int) error {
	stored, err := r.client.XLen(r.ctx, stream).Result()
	if err == nil && stored != int64(n) {
		err = fmt.Errorf("%d entries are stored, not %d", stored, n)
	}
	return errors.Join(err, r.client.Del(r.ctx, stream).Err())
}

func (r *redisBed) ours(stream string, n int) error {
	s, err := r.connect()
	if err != nil {
		return err
	}
	p, err := s.Producer(r.ctx, streamer.ProducerOptions{Stream: stream})
	if err == nil {
		value := make([]byte, payload)
		for range n {
			p.Send(r.ctx, streamer.Record{Value: value})
		}
		err = p.Flush(r.ctx)
	}
	return errors.Join(err, s.Close())
}

func (r *redisBed) connect() (streamer.Streamer, error) {
	return redis.Connect(r.ctx, redis.Config{Addrs: []string{r.addr}}, streamer.StreamerOptions{})
}

func (r *redisBed) readers() (pair, error) {
	stream, err := r.fill()
	if err != nil {
		return pair{}, err
	}
	return pair{r.replaying(stream), r.running(stream, r.rawRead), []peer{
		{"go-redis, XRead of 500", 1.3, r.running(stream, r.typedRead)},
	}}, nil
}

func (r *redisBed) distantReaders() (pair, error) {
	stream, err := r.fill()
	return pair{subject: r.replaying(stream), control: r.running(stream, r.rawRead)}, err
}

func (r *redisBed) members() (pair, error) {
	stream, err := r.fill()
	if err != nil {
		return pair{}, err
	}
	return pair{r.sharing(stream, r.join, r.messages), r.sharing(stream, r.rawShare, r.messages), []peer{
		{"go-redis, XReadGroup and XAck of 500", 1.2, r.sharing(stream, r.typedShare, r.messages)},
		{"Watermill Subscribe and Ack", 20, r.sharing(stream, r.subscribed, min(few, r.messages))},
	}}, nil
}

// fill makes a stream that trials read. It has one entry more than they take.
func (r *redisBed) fill() (string, error) {
	stream := r.unique("stored")
	return stream, r.rawAdd(stream, r.messages+1)
}

func (r *redisBed) running(stream string, read func(stream string, n int) error) task {
	return func() (trial, error) {
		n := r.messages
		return trial{run: func() (int, error) { return n, read(stream, n) }}, nil
	}
}

func (r *redisBed) replaying(stream string) task {
	return r.running(stream, func(stream string, n int) error {
		return r.take(n, streamer.ConsumerOptions{Streams: []string{stream}, AutoReset: streamer.Earliest})
	})
}

// sharing is trials of the only member of a fresh group, which ends when all is
// acknowledged.
func (r *redisBed) sharing(stream string, share func(stream, group string, n int) error, n int) task {
	return func() (trial, error) {
		group := r.unique("group")
		if err := r.client.XGroupCreate(r.ctx, stream, group, "0").Err(); err != nil {
			return trial{}, err
		}
		return trial{
			messages: n,
			run:      func() (int, error) { return n, share(stream, group, n) },
			end:      func() error { return r.settled(stream, group, n) },
		}, nil
	}
}

// settled checks that n entries are acknowledged, and destroys the group.
func (r *redisBed) settled(stream, group string, n int) error {
	groups, err := r.client.XInfoGroups(r.ctx, stream).Result()
	for _, g := range groups {
		if done := g.EntriesRead - g.Pending; g.Name == group && done < int64(n) {
			err = fmt.Errorf("%d entries are acknowledged, not %d", done, n)
		}
	}
	return errors.Join(err, r.client.XGroupDestroy(r.ctx, stream, group).Err())
}

func (r *redisBed) join(stream, group string, n int) error {
	return r.take(n, streamer.ConsumerOptions{Streams: []string{stream}, Mode: streamer.LoadBalanced, Group: group})
}

// take consumes n messages, acknowledging each, until that is committed.
func (r *redisBed) take(n int, o streamer.ConsumerOptions) error {
	s, err := r.connect()
	if err != nil {
		return err
	}
	c, err := s.Consumer(r.ctx, o)
	if err == nil {
		err = errors.Join(takeSome(r.ctx, c, n), c.Close())
	}
	return errors.Join(err, s.Close())
}

func takeSome(ctx context.Context, c streamer.Consumer, n int) error {
	for m, err := range c.Messages(ctx) {
		if err != nil {
			return err
		}
		if n--; n == 0 {
			m.Ack() // leaving the loop would not
			return nil
		}
	}
	return errors.New("the messages ended")
}

func isRedis(name string) bool { return strings.HasPrefix(name, "redis/") }
