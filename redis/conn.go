package redis

import (
	"bytes"
	"context"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// readBufferSize is of connections that read pages of messages.
	readBufferSize = 1 << 20
	// patience is what a read that blocks gets beyond its time at the server.
	patience = 5 * time.Second
	// grace is how long a read may take to notice that it was unblocked.
	grace = 100 * time.Millisecond
)

// conn is one connection to one server for reads that block: a client of its own with a pool of one, because go-redis does not let go of a
// blocked read when its context ends. It is used by one goroutine at a time, and interrupted by any.
type conn struct {
	client  *redis.Client
	control *redis.Client // of the same server

	mu  sync.Mutex
	raw net.Conn
	id  int64 // what the server calls the connection
}

// newConn makes a connection with the options of control, for reads that wait up to block at the server.
func newConn(control *redis.Client, block time.Duration) *conn {
	c := &conn{control: control}
	o := *control.Options()
	dial, greet := o.Dialer, o.OnConnect
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		raw, err := dial(ctx, network, addr)
		c.set(raw, 0)
		return raw, err
	}
	o.OnConnect = func(ctx context.Context, cn *redis.Conn) error {
		if greet != nil {
			if err := greet(ctx, cn); err != nil {
				return err
			}
		}
		id, err := cn.ClientID(ctx).Result()
		if isNotPermitted(err) {
			err = nil // then a read is interrupted by closing its connection
		}
		c.set(nil, id)
		return err
	}
	o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns = 1, 0, 0, 0
	o.MaxRetries, o.DialerRetries = -1, 1
	o.ReadTimeout, o.ContextTimeoutEnabled = block+patience, false
	o.ReadBufferSize, o.ConnMaxIdleTime, o.ConnMaxLifetime = readBufferSize, -1, -1
	o.Protocol, o.MaintNotificationsConfig = 2, quiet()
	c.client = redis.NewClient(&o)
	return c
}

func (c *conn) set(raw net.Conn, id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if raw != nil {
		c.raw = raw
	}
	c.id = id
}

// do sends a command once and takes its reply in, an error of the server's too. It returns soon after ctx ends; what the server did then is as
// unknown as after any other error.
func (c *conn) do(ctx context.Context, reply *slab, args []any) error {
	done, joined := make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(joined)
		c.interrupt(done)
	})
	err := c.client.Process(ctx, redis.NewRawWriteToCmd(ctx, reply, args...))
	close(done)
	if !stop() {
		<-joined
		if bytes.HasPrefix(reply.b, unblocked) {
			reply.b = append(reply.b[:0], nothing...)
		}
	}
	return err
}

// What an interrupted read is answered, and what a read that waited for nothing is.
var (
	unblocked = []byte("-UNBLOCKED client unblocked via CLIENT UNBLOCK")
	nothing   = []byte("*-1\r\n")
)

// interrupt ends a read that may be blocked: the server is asked to, and when that takes too long the connection is closed.
func (c *conn) interrupt(done <-chan struct{}) {
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	again := time.NewTicker(grace / 20)
	defer again.Stop()
	for {
		if !c.unblock() {
			c.cut()
			return
		}
		select {
		case <-done:
			return
		case <-deadline.C:
			c.cut()
			return
		case <-again.C: // it may not have been blocked yet
		}
	}
}

// unblock says whether the server could be asked. It has the read answered with an error: the other way, as if its time were over, ends servers
// before Redis 8.2 and Valkey 8.1.2 that hold the read back because they are paused, as before every orderly fail-over.
func (c *conn) unblock() bool {
	c.mu.Lock()
	id := c.id
	c.mu.Unlock()
	if id == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	return c.control.ClientUnblockWithError(ctx, id).Err() == nil
}

// cut closes the connection under whoever reads from it.
func (c *conn) cut() {
	c.mu.Lock()
	raw := c.raw
	c.mu.Unlock()
	if raw != nil {
		_ = raw.Close() // go-redis closes it once more
	}
}

// close ends the connection. Nobody uses it.
func (c *conn) close() { _ = c.client.Close() }
