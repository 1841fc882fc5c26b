package redis

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// patience is how long nothing may come beyond the time at the server.
	patience = 5 * time.Second
	// grace is how long a read may take to notice that it was unblocked.
	grace = 100 * time.Millisecond
)

// conn is one connection to one server for reads that block, or for what a
// producer sends: a client of its own with a pool of one, because go-redis does
// not released a blocked read when its context ends. It is used by one
// goroutine at a time, and interrupted by any.
type conn struct {
	client  *redis.Client
	control *redis.Client // of the same server

	mu   sync.Mutex
	raw  net.Conn
	at   caller
	met  bool                  // the connection is introduced: what it reads from now on are replies to commands of ours
	want *reply                // of the command that is under way
	send func(io.Writer) error // what goes out instead of the command that go-redis writes; nil: that

	writing sync.WaitGroup // what send is under way
}

// caller is a connection as the server knows it. Another server, or the same
// after a restart, may use the id again, but hardly for the same address.
type caller struct {
	id   int64  // 0: not known
	addr string // "": not known
}

// newConn makes a connection with the options of control, for commands that
// wait up to block at the server. introduce is asked once what the server knows
// it as.
func newConn(control *redis.Client, block time.Duration, introduce func(context.Context, *redis.Conn) (caller, error)) *conn {
	c := &conn{control: control}
	o := *control.Options()
	dial, greet := o.Dialer, o.OnConnect
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		raw, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		raw = newPaced(raw, block+patience)
		c.dialled(raw)
		return tapped(raw, c), nil
	}
	o.OnConnect = func(ctx context.Context, cn *redis.Conn) error {
		if greet != nil {
			if err := greet(ctx, cn); err != nil {
				return err
			}
		}
		at, err := introduce(ctx, cn)
		c.introduced(at)
		return err
	}
	o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns = 1, 0, 0, 0
	o.MaxRetries, o.DialerRetries = -1, 1
	o.ReadTimeout, o.WriteTimeout, o.ContextTimeoutEnabled = -1, -1, false // its pace limits it
	o.ReadBufferSize, o.ConnMaxIdleTime, o.ConnMaxLifetime = leastRead, -1, -1
	o.Protocol, o.MaintNotificationsConfig = 2, quiet()
	c.client = redis.NewClient(&o)
	return c
}

// introduce asks the server what it knows a connection as. Without the right to
// ask, a read is interrupted by closing its connection.
func introduce(ctx context.Context, cn *redis.Conn) (at caller, err error) {
	info, err := cn.Do(ctx, "client", "info").Text()
	if isNotPermitted(err) {
		at.id, err = cn.ClientID(ctx).Result()
		if isNotPermitted(err) {
			err = nil
		}
		return at, err
	}
	for word := range strings.FieldsSeq(info) {
		switch name, value, _ := strings.Cut(word, "="); name {
		case "id":
			at.id, _ = strconv.ParseInt(value, 10, 64) // 0 says enough
		case "addr":
			at.addr = value
		}
	}
	return at, err
}

// stranger does not introduce a connection that waits for nothing at the
// server, where nothing has to find it.
func stranger(context.Context, *redis.Conn) (caller, error) { return caller{}, nil }

func (c *conn) dialled(raw net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw, c.at, c.met = raw, caller{}, false
}

func (c *conn) introduced(at caller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.met = at, true
}

// expect says which reply the next command is to be answered with, and what is
// sent in its place; nil when none is under way.
func (c *conn) expect(r *reply, send func(io.Writer) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.want, c.send = r, send
}

// begin sends what goes out instead of go-redis's command; false: that
// does. It is written while the replies come in already, by a goroutine of its
// own, which exchange joins.
func (c *conn) begin(to io.Writer) bool {
	c.mu.Lock()
	send := c.send
	if c.met {
		c.send = nil
		if c.want != nil {
			c.want.sent.Store(true)
		}
	}
	began := c.met && send != nil
	c.mu.Unlock()
	if began {
		c.writing.Go(func() {
			if send(to) != nil {
				c.hurry()
			}
		})
	}
	return began
}

// wanted is the reply that is to be read now; nil for those of go-redis's own
// commands.
func (c *conn) wanted() *reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.met {
		return nil
	}
	r := c.want
	c.want = nil
	return r
}

// caller is the connection that the latest command went out on.
func (c *conn) caller() caller {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// bury makes sure that a server does nothing more for a connection that was
// given up: a command may wait in it that the server has not come to. Without
// the right to do so, that is hoped.
func (c *conn) bury(ctx context.Context, ghost caller) error {
	if ghost.addr == "" {
		return nil
	}
	err := c.control.ClientKillByFilter(ctx, "ID", strconv.FormatInt(ghost.id, 10), "ADDR", ghost.addr).Err()
	if isNotPermitted(err) {
		return nil
	}
	return err
}

// exchange sends what send writes, once, and takes in the replies that are
// wanted, as many as come. When ctx ends it closes the connection.
func (c *conn) exchange(ctx context.Context, send func(io.Writer) error, want *reply) error {
	joined := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(joined)
		c.cut()
	})
	c.expect(want, send)
	err := c.client.Process(ctx, redis.NewStatusCmd(ctx, "ping"))
	c.expect(nil, nil)
	if err != nil {
		c.cut()
	}
	c.writing.Wait()
	if !stop() {
		<-joined // what it closes is not the next connection
	}
	return err
}

// unblock says whether the server could be asked. It has the read answered with
// an error: the other way, as if its time were over, ends servers before Redis
// 8.2 and Valkey 8.1.2 that hold the read back because they are paused, as
// before every orderly fail-over.
func (c *conn) unblock() bool {
	id := c.caller().id
	if id == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	return c.control.ClientUnblockWithError(ctx, id).Err() == nil
}

// hurry has who reads take in what has come and no more: the server may have
// said why it does not read on.
func (c *conn) hurry() {
	c.mu.Lock()
	raw := c.raw
	c.mu.Unlock()
	if raw != nil {
		_ = raw.SetReadDeadline(time.Now().Add(grace)) // reading fails too
	}
}

// cut closes the connection while it is being read.
func (c *conn) cut() {
	c.mu.Lock()
	raw := c.raw
	c.mu.Unlock()
	if raw != nil {
		_ = raw.Close() // go-redis closes it once more
	}
}

// close ends the connection. Nothing uses it.
func (c *conn) close() { _ = c.client.Close() }
