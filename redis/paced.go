package redis

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// paced is a connection on which nothing may stand still for long, however long
// the whole takes: large values and slow links are no failure. Time limits that
// its user sets hold beside that. It may be read from and written to
// concurrently.
type paced struct {
	net.Conn
	stall time.Duration // how long nothing may come

	readLimit, writeLimit atomic.Int64 // the user's own, in ns of Unix time; 0: none
	moved                 atomic.Int64 // when bytes last went, in ns of Unix time
	owed                  atomic.Int64 // bytes that were written since something came
}

const (
	// writtenAtOnce is how much has to go within stall.
	writtenAtOnce = 64 << 10
	// The kernel takes more than the link: of what is written up to so many
	// bytes may still be here, and leave at no more than so many per second.
	kernelBytes = 4 << 20
	slowestLink = 64 << 10
)

// newPaced paces a connection. What go-redis asks whether the other end has
// closed it stays visible.
func newPaced(raw net.Conn, stall time.Duration) net.Conn {
	if p, is := raw.(interface{ plain() net.Conn }); is {
		raw = p.plain()
	}
	p := &paced{Conn: raw, stall: stall}
	if sys, is := raw.(syscall.Conn); is {
		return struct {
			*paced
			syscall.Conn
		}{p, sys}
	}
	return p
}

// plain is the connection without its pace.
func (c *paced) plain() net.Conn { return c.Conn }

// pacedDialer paces what a dialer connects.
func pacedDialer(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		raw, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return newPaced(raw, replyTimeout), nil
	}
}

// Read implements net.Conn.
func (c *paced) Read(p []byte) (int, error) {
	begun := time.Now()
	for {
		limit, ours := sooner(c.patience(begun), c.readLimit.Load())
		_ = c.Conn.SetReadDeadline(limit) // reading fails too
		n, err := c.Conn.Read(p)
		if n > 0 {
			c.owed.Store(0)
			c.moved.Store(time.Now().UnixNano())
		}
		if n > 0 || !ours || !errors.Is(err, os.ErrDeadlineExceeded) || !time.Now().Before(c.patience(begun)) {
			return n, err
		}
	}
}

// patience is until when something has to come.
func (c *paced) patience(begun time.Time) time.Time {
	from := max(begun.UnixNano(), c.moved.Load())
	rest := time.Duration(min(c.owed.Load(), kernelBytes)) * time.Second / slowestLink
	return time.Unix(0, from).Add(c.stall + rest)
}

// Write implements net.Conn.
func (c *paced) Write(p []byte) (written int, err error) {
	for {
		part := p[written:min(written+writtenAtOnce, len(p))]
		limit, _ := sooner(time.Now().Add(c.stall), c.writeLimit.Load())
		_ = c.Conn.SetWriteDeadline(limit) // writing fails too
		n, err := c.Conn.Write(part)
		written += n
		c.owed.Add(int64(n))
		c.moved.Store(time.Now().UnixNano())
		if err != nil || written == len(p) {
			return written, err
		}
	}
}

// sooner is the earlier of our limit and the user's, and whether that is ours.
func sooner(ours time.Time, users int64) (limit time.Time, isOurs bool) {
	if users != 0 && users < ours.UnixNano() {
		return time.Unix(0, users), false
	}
	return ours, true
}

// SetDeadline implements net.Conn.
func (c *paced) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t) // the other says the same
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *paced) SetReadDeadline(t time.Time) error {
	c.readLimit.Store(nanos(t))
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *paced) SetWriteDeadline(t time.Time) error {
	c.writeLimit.Store(nanos(t))
	return c.Conn.SetWriteDeadline(t)
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
