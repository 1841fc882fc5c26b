package wait

import (
	"context"
	"sync"
	"time"
)

// Closing is one Close with many callers: the first does it, the others get
// what it returned. The zero value is ready.
type Closing struct {
	mu   sync.Mutex
	done chan struct{} // made by Begin, closed by End
	err  error
}

// Begin says whether the caller is the first, which has to call End.
func (c *Closing) Begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done != nil {
		return false
	}
	c.done = make(chan struct{})
	return true
}

// Begun says whether Begin was called.
func (c *Closing) Begun() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done != nil
}

// End sets the outcome. It returns err.
func (c *Closing) End(err error) error {
	c.err = err
	close(c.done)
	return err
}

// Wait returns the outcome; ended is false when ctx ended before there was one.
// Begin was called before.
func (c *Closing) Wait(ctx context.Context) (err error, ended bool) { //nolint:revive // the outcome is an error
	select {
	case <-c.done:
		return c.err, true
	default:
	}
	select {
	case <-c.done:
		return c.err, true
	case <-ctx.Done():
		return nil, false
	}
}

// last is how long WaitLong continues: a close within the same ctx needs some
// of it to give up on the rest.
const last = time.Second

// WaitLong is Wait that continues for a second after ctx has ended.
func (c *Closing) WaitLong(ctx context.Context) (err error, ended bool) { //nolint:revive // the outcome is an error
	if err, ended = c.Wait(ctx); ended {
		return err, true
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), last)
	defer cancel()
	return c.Wait(late)
}
