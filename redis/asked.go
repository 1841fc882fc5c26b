package redis

import (
	"bytes"
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// asked is a command that is under way on a conn. A goroutine waits for its
// reply, which may take long on a slow link, and ends with it; giveUp joins it.
// The other methods belong to who asked.
type asked struct {
	conn   *conn
	reply  *reply
	blocks bool               // it may wait at the server for something to come
	stop   context.CancelFunc // ends what has not left yet
	err    error              // set before done is closed
	done   chan struct{}
	called bool // the server was asked to end it
	ended  bool // by us
}

// ask sends a command once. No other is sent on the connection until it is
// done.
func (c *conn) ask(reply *reply, blocks bool, args []any) *asked {
	ctx, stop := context.WithCancel(context.Background())
	a := &asked{conn: c, reply: reply, blocks: blocks, stop: stop, done: make(chan struct{})}
	c.expect(reply, nil)
	go func() {
		defer close(a.done)
		a.err = c.client.Process(ctx, redis.NewStatusCmd(ctx, args...))
		c.expect(nil, nil)
	}()
	return a
}

// await waits for the reply, an error of the server's too, until ctx ends;
// false: it is still on its way, and can be waited for again. A command that
// waits at the server is ended there; a reply that comes is let come.
func (a *asked) await(ctx context.Context) bool {
	if !a.wait(ctx) {
		return false
	}
	a.stop()
	if a.called && bytes.HasPrefix(a.reply.b, unblocked) {
		a.reply.b = append(a.reply.b[:0], nothing...)
	}
	return true
}

func (a *asked) wait(ctx context.Context) bool {
	select {
	case <-a.done:
		return true
	case <-ctx.Done():
	}
	if a.blocks {
		a.interrupt()
	}
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// What an interrupted read is answered, and what a read that waited for nothing
// is.
var (
	unblocked = []byte("-UNBLOCKED client unblocked via CLIENT UNBLOCK")
	nothing   = []byte("*-1\r\n")
)

// interrupt ends a command that may be blocked: the server is asked to, and
// when that takes too long and nothing of a reply has come it is given up.
func (a *asked) interrupt() {
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	again := time.NewTicker(grace / 20)
	defer again.Stop()
	for {
		if !a.reply.begun() {
			a.called = true
			if !a.conn.unblock() && !a.reply.begun() {
				a.giveUp()
				return
			}
		}
		select {
		case <-a.done:
			return
		case <-deadline.C:
			if !a.reply.begun() {
				a.giveUp()
			}
			return
		case <-again.C: // it may not have been blocked yet
		}
	}
}

// giveUp ends the command by closing the connection. What the server did with
// it is not known.
func (a *asked) giveUp() {
	a.ended = true
	a.stop()
	a.conn.cut()
	<-a.done
}
