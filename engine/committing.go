package engine

import (
	"context"

	"github.com/gostreamer/streamer/internal/wait"
)

// committing is the part of a session that knows what there is to commit and
// holds the right to commit. Except for the channels it belongs to session.mu.
type committing struct {
	token  chan struct{} // capacity 1: holding the token is the right to commit
	wake   chan struct{} // capacity 1: the committer has something new to watch
	active []*ledger     // keep runs
	ahead  []*ledger     // AckOnDelivery: shards whose next message waits for its commit
	recent int           // messages since the ledgers were last looked through
	closed bool          // the last commit was made
}

func newCommitting() committing {
	return committing{token: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
}

// enter takes the right to commit. An ended ctx wins over a free token, so that
// a stopped loop does not commit after the last commit.
func (c *committing) enter(ctx context.Context) error {
	select {
	case c.token <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		c.leave()
		return err
	}
	return nil
}

// tryEnter takes the right to commit if it is free.
func (c *committing) tryEnter() bool {
	select {
	case c.token <- struct{}{}:
		return true
	default:
		return false
	}
}

func (c *committing) leave() { <-c.token }

// list remembers that the ledger keeps runs.
func (c *committing) list(l *ledger) {
	if !l.listed {
		l.listed = true
		c.active = append(c.active, l)
	}
}

// unlist forgets the ledgers that need no commit and keep nothing.
func (c *committing) unlist(needed func(*ledger) bool) {
	kept := c.active[:0]
	for _, l := range c.active {
		if needed(l) {
			kept = append(kept, l)
			continue
		}
		l.listed = false
	}
	clear(c.active[len(kept):])
	c.active = kept
}

// askAhead makes the committer commit what was emitted of a shard.
func (c *committing) askAhead(l *ledger) {
	l.aheadPending = true
	c.ahead = append(c.ahead, l)
	wait.Signal(c.wake)
}

// takeAhead returns the shards that were asked for since the last call.
func (c *committing) takeAhead() []*ledger {
	asked := c.ahead
	c.ahead = nil
	return asked
}
