package redis

import (
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/redis/go-redis/v9"
)

// exchange has the servers carry out the batch and finds out what becomes of
// each record. A single server has the commands on a connection of the sink's
// own, written and read without go-redis, and the records are resolved as its
// answers come; in a cluster go-redis finds the servers.
func (s *sink) exchange(ctx context.Context) {
	node, err := s.carrier(ctx)
	if node == nil && err == nil {
		s.pipeline(ctx)
		return
	}
	s.answers = scanner{}
	var c *conn
	if err == nil {
		c, err = s.connect(node)
	}
	if err == nil {
		r := newReply(len(s.slots) * replySize)
		r.left = len(s.slots) + len(s.trims)
		r.progress = func() { s.follow(r) }
		err = c.exchange(ctx, s.request, r)
	}
	s.rest(err)
	_, several := s.b.cluster()
	if several || err != nil || slices.ContainsFunc(s.slots, func(sl *slot) bool { return passes(sl.err) }) {
		s.hangUp() // it may lead to what is a replica now, or not to the next record's server
	}
	if several && isRedirected(s.slots[0].err) {
		s.pipeline(ctx) // go-redis follows
	}
}

// replySize is what the answer to an XADD takes.
const replySize = len("$20\r\n1700000000000-000000\r\n")

// connect is the sink's connection, which is made when it is first used.
func (s *sink) connect(node *redis.Client) (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, streamer.ErrClosed
	}
	if s.conn == nil {
		s.conn = newConn(node, 0, stranger)
	}
	return s.conn, nil
}

// hangUp releases the connection. The next exchange makes another.
func (s *sink) hangUp() {
	s.mu.Lock()
	c := s.conn
	s.conn = nil
	s.mu.Unlock()
	if c != nil {
		c.close()
	}
}

// request writes the batch's commands. What is written first the server works
// on while the rest is written.
func (s *sink) request(to io.Writer) error {
	s.out.Reset(to)
	for _, sl := range s.slots {
		sl.write(s.out)
	}
	for _, t := range s.trims {
		t.write(s.out)
	}
	return s.out.Flush()
}

// follow reads the answers that have come and resolves the records that are
// stored, up to the first that is not: what becomes of that one depends on
// those behind it.
func (s *sink) follow(r *reply) {
	s.answers.b = r.b
	for n := min(r.complete(len(s.slots)+len(s.trims)), len(s.slots)); s.answered < n; s.answered++ {
		sl := s.slots[s.answered]
		sl.outcome(s.answers.answer(errMalformed))
		if sl.err == nil && s.settled == s.answered {
			s.batch[s.settled].Resolve(sl.meta(), nil)
			s.settled++
		}
	}
}

// rest reads the answers that are left; those that have not come failed with
// err.
func (s *sink) rest(err error) {
	for _, sl := range s.slots[s.answered:] {
		sl.outcome(s.answers.answer(err))
	}
	for _, t := range s.trims {
		_, t.err = s.answers.answer(err)
	}
}

// pipeline is exchange by go-redis.
func (s *sink) pipeline(ctx context.Context) {
	s.cmds = s.cmds[:0]
	for _, sl := range s.slots {
		s.cmds = append(s.cmds, sl.command())
	}
	for _, t := range s.trims {
		s.cmds = append(s.cmds, t.command(ctx))
	}
	pipe := s.b.client.Pipeline()
	_ = pipe.BatchProcess(ctx, s.cmds...) // queues
	_, err := pipe.Exec(ctx)
	for _, sl := range s.slots {
		sl.outcome(sl.result(cmp.Or(err, errMalformed)))
	}
	for _, t := range s.trims {
		t.err = t.cmd.Err()
	}
}
