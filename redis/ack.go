package redis

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/redis/go-redis/v9"
)

// ackCount is how many messages one command acknowledges.
const ackCount = 1000

// AckMessages implements driver.MessageAcker. It uses a connection of the pool,
// so that it does not wait behind a blocked read.
func (s groupSource) AckMessages(ctx context.Context, done []driver.Acked) error {
	var failed error
	for _, a := range done {
		for seqs := range slices.Chunk(a.Seqs, ackCount) {
			if err := s.ack(ctx, a.StreamShard, seqs); err != nil {
				failed = err
			}
		}
	}
	return failed
}

func (s groupSource) ack(ctx context.Context, at streamer.StreamShard, seqs []streamer.SeqNo) error {
	key := s.b.cfg.key(at)
	lately := s.isHeardAt(at)
	err := patiently(ctx, func() error { return s.ackAs(ctx, key, at, seqs, lately) })
	if err != nil && (isLost(err) || isUnsent(err) || passes(err)) && ctx.Err() == nil && !errors.Is(err, streamer.ErrFenced) && !s.b.isAstray(err) {
		return driver.Transient(translate(err), 0)
	}
	return bare(ctx, err)
}

// isHeardAt is isHeard of a shard by its name.
func (s groupSource) isHeardAt(at streamer.StreamShard) bool {
	for _, sh := range s.all() {
		if sh.StreamShard == at {
			return s.isHeard(sh)
		}
	}
	return false
}

// ackAs acknowledges as a member, or as an owner if we are one.
func (s groupSource) ackAs(ctx context.Context, key string, at streamer.StreamShard, seqs []streamer.SeqNo, lately bool) error {
	if s.shared() {
		return s.b.xack(ctx, key, s.group, seqs)
	}
	args := s.b.ackArgs()
	defer s.b.acks.Put(args)
	n, err := ackScript.Run(ctx, s.b.client, []string{key}, args.of(seqs, s.group, s.lock, ownerPrefix, heardOf(lately))...).Int()
	if isNotPermitted(err) {
		t, err := s.b.owns(ctx, key, s.group, s.lock, lately)
		if err == nil && t == lost {
			return fenced(at, s.group)
		}
		return errors.Join(err, s.b.xack(ctx, key, s.group, seqs))
	}
	if err == nil && n < 0 {
		return fenced(at, s.group)
	}
	return err
}

// idArg is an id as a command's argument, without an allocation of its own.
type idArg struct {
	id
	text [maxIDLen]byte
}

// MarshalBinary implements encoding.BinaryMarshaler for go-redis, which copies.
func (a *idArg) MarshalBinary() ([]byte, error) { return a.append(a.text[:0]), nil }

// ackArgs are the arguments of a command that acknowledges. go-redis is done
// with them when the command is.
type ackArgs struct {
	all []any
	ids []idArg
}

// of puts ids behind what the command begins with.
func (a *ackArgs) of(seqs []streamer.SeqNo, beginning ...any) []any {
	a.ids = slices.Grow(a.ids[:0], len(seqs))[:len(seqs)]
	a.all = append(a.all[:0], beginning...)
	for i, q := range seqs {
		a.ids[i].id = idOf(q)
		a.all = append(a.all, &a.ids[i])
	}
	return a.all
}

// ackArgs are for one command at a time.
func (b *backend) ackArgs() *ackArgs {
	if a, ok := b.acks.Get().(*ackArgs); ok {
		return a
	}
	return new(ackArgs)
}

func (b *backend) xack(ctx context.Context, key, group string, seqs []streamer.SeqNo) error {
	args := b.ackArgs()
	defer b.acks.Put(args)
	return b.client.Process(ctx, redis.NewIntCmd(ctx, args.of(seqs, "xack", key, group)...))
}

// Release implements driver.Releaser. The messages become available to the
// other members. This source takes those that are left before it reads new
// ones.
func (s sharedSource) Release(ctx context.Context, undelivered []driver.Acked) error {
	if err := s.claim(ctx); err != nil {
		return err
	}
	defer s.claimed()
	for _, a := range undelivered {
		for seqs := range slices.Chunk(a.Seqs, ackCount) {
			ids := make([]string, len(seqs))
			for i, q := range seqs {
				ids[i] = idOf(q).String()
			}
			if err := s.giveBack(ctx, s.b.cfg.key(a.StreamShard), returned, ids, "retrycount", "0"); err != nil {
				return bare(ctx, err)
			}
		}
		s.leftBehind(a.StreamShard, idOf(a.Seqs[0]))
	}
	return bare(ctx, s.releaseUnread(ctx))
}

// releaseUnread gives back what is on its way to us. No Fetch is under way.
func (s *source) releaseUnread(ctx context.Context) error {
	for _, l := range s.lanes {
		if l.under == nil && l.ready == nil {
			continue
		}
		l.forget()
		if err := l.bury(ctx); err != nil {
			return err
		}
		for _, sh := range l.shards {
			if err := s.giveBackUnseen(ctx, sh); err != nil {
				return err
			}
		}
	}
	return nil
}

// leftBehind notes that we gave back a message of a shard, and maybe others
// after it.
func (s *source) leftBehind(at streamer.StreamShard, first id) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sh := range s.shards {
		if sh.StreamShard != at {
			continue
		}
		if sh.left != nil && sh.left.less(first) {
			first = *sh.left
		}
		sh.left, sh.gaveBack = &first, true // another pointer: look sees that what it found is out of date
	}
}

// longAgo is since when what was given back has been idle: longer than any
// claim_idle.
var longAgo = strconv.Itoa(7 * 24 * 60 * 60 * 1000)

// giveBack makes messages another consumer's, as if they had been idle for
// long.
func (s *source) giveBack(ctx context.Context, key, to string, ids []string, options ...string) error {
	args := make([]any, 0, len(ids)+len(options)+8)
	args = append(args, "xclaim", key, s.group, to, 0)
	for _, i := range ids {
		args = append(args, i)
	}
	args = append(args, "idle", longAgo)
	for _, o := range options {
		args = append(args, o)
	}
	return s.b.client.Do(ctx, append(args, "justid")...).Err()
}
