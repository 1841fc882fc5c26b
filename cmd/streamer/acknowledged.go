package main

import (
	"sync/atomic"

	"github.com/gostreamer/streamer"
)

// acknowledged counts what a command acknowledged and follows it to the commit.
// The zero value is ready. Its methods may be called concurrently.
type acknowledged struct {
	messages  atomic.Int64
	committed atomic.Bool // a commit succeeded
	failed    atomic.Bool // and the last one did not
	lost      atomic.Bool // a shard was lost before it could commit
	open      atomic.Bool // the consumer did not close as it should
}

// hooks see the commits and the lost shards of a consumer.
func (a *acknowledged) hooks() streamer.Hooks {
	return streamer.Hooks{
		Committed: func(e streamer.CommitEvent) {
			a.failed.Store(e.Err != nil)
			if e.Err == nil {
				a.committed.Store(true)
			}
		},
		Assigned: func(e streamer.AssignEvent) {
			if e.Lost && len(e.Revoked) > 0 {
				a.lost.Store(true)
			}
		},
	}
}

// ack acknowledges m.
func (a *acknowledged) ack(m *streamer.Message) {
	if m.Ack() {
		a.messages.Add(1)
	}
}

// close closes the consumer, which commits what is acknowledged.
func (a *acknowledged) close(c streamer.Consumer) error {
	err := c.Close()
	if err != nil {
		a.open.Store(true)
	}
	return err
}

// summary is what was acknowledged and what became of it, to be added to what
// was done with the messages. It is complete after close.
func (a *acknowledged) summary() string {
	n := a.messages.Load()
	if n == 0 {
		return ""
	}
	s := ", " + thousands(n) + " acknowledged"
	switch {
	case a.failed.Load():
		return s + ", but the last commit failed: what it was to commit may be redelivered"
	case a.open.Load():
		return s + ", not all of it known to be committed: what is not may be redelivered"
	case a.lost.Load():
		return s + ", but a shard was lost: what it had not committed may be redelivered"
	case a.committed.Load():
		return s + " and committed"
	}
	return s // the backend commits nothing
}
