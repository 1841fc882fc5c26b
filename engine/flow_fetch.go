package engine

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/internal/wait"
)

// fetchLoop keeps the queue filled. It is the session's fetch goroutine and
// ends with ctx, the input, or a failure that retrying cannot fix.
func (s *session) fetchLoop(ctx context.Context) {
	var b wait.Backoff
	for s.awaitRoom(ctx) {
		s.fetchSince = time.Now()
		err := s.fetchOnce(ctx)
		if err == nil {
			b.Reset()
			s.obs.Load().Succeeded("read")
			continue
		}
		if ctx.Err() != nil {
			return
		}
		after, again := boundary.RetryAfter(err)
		if !again {
			if err != io.EOF { //nolint:errorlint // the bare one is the end of the input
				err = boundary.Opaque(err)
			}
			s.stopReading(s.wrap("read", err))
			return
		}
		after = b.Next(after)
		s.obs.Load().Retrying("read", err, after)
		if !wait.Pause(ctx, after) {
			return
		}
	}
}

// fetchOnce is one Fetch, which askReturn may end.
func (s *session) fetchOnce(ctx context.Context) error {
	if s.releaser == nil {
		return s.src.Fetch(ctx, s.emit)
	}
	once, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.flow.interrupt = cancel
	asked := s.flow.slowMember != nil
	s.mu.Unlock()
	if asked {
		return nil
	}
	err := s.src.Fetch(once, s.emit)
	if once.Err() != nil && ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// awaitRoom blocks until another fetch fits; false when ctx ended.
func (s *session) awaitRoom(ctx context.Context) bool {
	for {
		s.mu.Lock()
		s.returnMessages(ctx)
		ok := s.hasRoom()
		var pauses []streamer.StreamShard
		if s.pauser != nil {
			pauses = s.flow.pausesDue()
		}
		s.mu.Unlock()
		for _, at := range pauses {
			s.applyPause(at)
		}
		if ok {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-s.flow.room:
		}
	}
}

// hasRoom says whether another fetch fits into Prefetch and BufferBytes.
// Messages behind a full window do not count where the source can pause their
// shard, so that other shards continue; their bytes count from BufferBytes on,
// so that memory stays bounded. Where members share messages, one of them must
// have processed half of its share.
func (s *session) hasRoom() bool {
	n, bytes := s.flow.buffered.messages, s.flow.buffered.bytes
	if s.pauser != nil {
		n -= s.flow.parked.messages
		bytes -= min(s.flow.parked.bytes, s.o.bufferBytes)
	} else if s.flow.anyFull(s.o.maxInFlight) {
		return false
	}
	if s.flow.resting && s.waiters == 0 {
		return false
	}
	if s.shared() && !slices.ContainsFunc(s.queues, (*queue).hungry) {
		return false
	}
	return n <= s.o.prefetch-s.o.maxBatch() && bytes < s.o.bufferBytes
}

// hungry says that the member has processed half of its share. A slow member is
// never hungry.
func (q *queue) hungry() bool { return !q.slow && q.suspended == 0 && q.ring.n <= q.pace.limit/2 }

// appetite is how many more messages the members may hold in total.
func (s *session) appetite() int {
	n := 0
	for _, q := range s.queues {
		if !q.slow && q.suspended == 0 {
			n += max(q.pace.limit-q.ring.n, 0)
		}
	}
	return n
}

// roomLeft implements SourceConfig.Room.
func (s *session) roomLeft() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := s.o.prefetch - s.flow.buffered.messages
	if s.shared() {
		room = min(room, s.appetite())
	}
	return min(max(room, 1), s.o.maxBatch())
}

// wrap adds to an error of the source where it happened.
func (s *session) wrap(op string, err error) error {
	return boundary.Wrap(op, s.obs.Load().Backend, "", err)
}
