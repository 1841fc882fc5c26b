package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// Fetch implements driver.Source. It hands out what one read of the file
// brings, at most MaxBatch messages at a time.
func (s *source) Fetch(ctx context.Context, emit func([]streamer.Message)) error {
	s.fetching.Lock()
	defer s.fetching.Unlock()
	for {
		if err := s.obstacle(ctx); err != nil {
			return err
		}
		if err := s.adopt(); err != nil {
			return s.fail(err)
		}
		if s.idle() {
			if err := s.standBy(ctx); err != nil {
				return s.fail(err)
			}
			continue
		}
		s.catchUp()
		err := s.gather()
		s.welcome()
		if len(s.batch.picked) > 0 {
			emit(s.deliver())
			s.arrived()
			s.pause = 0
			if s.skip(err) || errors.Is(err, ss.ErrMore) {
				err = nil
			}
			return s.fail(err)
		}
		switch {
		case s.skip(err):
			continue
		case errors.Is(err, ss.ErrMore):
			err = s.more(ctx)
		}
		if err != nil {
			return s.fail(err)
		}
	}
}

// obstacle is what keeps Fetch from starting.
func (s *source) obstacle(ctx context.Context) error {
	select {
	case <-s.done:
		return streamer.ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.failed
}

// fail remembers a failure that will not pass.
func (s *source) fail(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, streamer.ErrClosed) {
		return err
	}
	err = disk.About(s.location.path, err)
	if again := passing(err); again != err { //nolint:errorlint // the mark is what matters
		return again
	}
	s.failed = err
	if s.sharing != nil {
		s.resign()
	}
	return s.failed
}

// gather picks messages out of the window until the batch is full or something
// else comes: ss.ErrMore, a *ss.Damage or a failure.
func (s *source) gather() error {
	if s.r == nil {
		return ss.ErrMore
	}
	// Not a field of the source: its pointers change with each message, and
	// each change of a field on the heap costs a write barrier.
	var e logfile.Entry
	for len(s.batch.picked) < s.cfg.MaxBatch {
		if err := s.r.NextEntry(&e); err != nil {
			return err
		}
		sh := s.shardOf(&e)
		if sh == nil {
			continue
		}
		yes, err := s.begins(sh, &e)
		if err != nil {
			s.r.SeekTo(e.Start) // it was not emitted
			return err
		}
		if yes && sh.cut {
			if err := s.bridge(sh, &e); err != nil {
				return err
			}
		}
		if yes && s.admits(sh, &e) {
			s.batch.add(sh, &e)
		}
	}
	return nil
}

// begins reports whether a message is delivered. In a group a shard that has
// its first message has a position before that goes out.
func (s *source) begins(sh *shard, e *logfile.Entry) (bool, error) {
	if sh.open {
		return true, nil
	}
	if !sh.read || !sh.start.begins(e) {
		return false, nil
	}
	if s.group != nil {
		if err := s.claimShard(sh, e.Start); err != nil {
			return false, err
		}
	}
	sh.open = true
	return true, nil
}

// claimShard makes the consumer the owner of a shard, if that was not there
// when it was opened. Its first message is at offset.
func (s *source) claimShard(sh *shard, offset int64) error {
	if s.sharing != nil {
		return nil // it has been the owner since the shard is read
	}
	s.committing.Lock()
	defer s.committing.Unlock()
	if sh.saved != nil {
		return nil
	}
	err := s.group.Lock(sh.StreamShard)
	if errors.Is(err, streamer.ErrNotFound) { // the group was removed
		if err = s.mend(); err == nil {
			err = s.group.Lock(sh.StreamShard)
		}
	}
	if err != nil {
		return err
	}
	c := &group.Cursor{Resume: offset, Seen: s.seen}
	if err := s.store(sh.StreamShard, c); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh.saved = c
	return nil
}

// shardOf finds the shard of a message; nil when its stream is not read.
// Messages of one shard mostly come in a row.
func (s *source) shardOf(e *logfile.Entry) *shard {
	if l := s.last; l != nil && l.Shard == streamer.ShardID(e.Shard) && l.Stream == string(e.Key) {
		return l
	}
	sh := s.streams[string(e.Key)][streamer.ShardID(e.Shard)]
	if sh == nil {
		if !s.wants(string(e.Key)) {
			return nil
		}
		sh = s.discover(logfile.ShardOf(&e.Frame), e.Start)
	}
	s.last = sh
	return sh
}

// deliver makes a slab of the batch, and its messages known to commits.
func (s *source) deliver() []streamer.Message {
	s.mu.Lock()
	for i := range s.batch.picked {
		p := &s.batch.picked[i]
		s.track(s.batch.shards[p.shard], p.step)
	}
	s.progressed()
	for _, sh := range s.batch.shards {
		sh.coming = sh.count
		s.coming = append(s.coming, sh)
	}
	s.mu.Unlock()
	return s.batch.slab(s.r.Window())
}

// arrived notes that what deliver made is emitted.
func (t *shardTable) arrived() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, sh := range t.coming {
		sh.coming = 0
	}
	t.coming = t.coming[:0]
}

// track notes that a message is about to be emitted. mu is held.
func (s *source) track(sh *shard, st step) {
	if sh.none || st.seq > sh.last {
		sh.last, sh.none = st.seq, false
	}
	if !sh.emitted {
		sh.from, sh.emitted = st.seq, true
	}
	if s.group != nil {
		sh.trail.add(st)
	}
}

// more reads on, or waits until there is more.
func (s *source) more(ctx context.Context) error {
	if s.r == nil {
		return s.awaitHeader(ctx)
	}
	err := s.r.ReadOn()
	switch {
	case err == nil:
		return s.checkLog(ctx)
	case errors.Is(err, logfile.ErrTrimmed):
		return s.trimmed()
	case !errors.Is(err, io.EOF):
		return err
	}
	s.mu.Lock()
	s.progressed()
	s.mu.Unlock()
	return s.atEnd(ctx)
}

// trimmed continues at the oldest segment that is left, when those before it
// were dropped unread.
func (s *source) trimmed() error {
	if _, err := s.segments.Look(); errors.Is(err, fs.ErrNotExist) {
		return notThere(s.location.path)
	} else if err != nil {
		return err
	}
	for _, sh := range s.shards() {
		sh.cut = sh.read
	}
	s.r.SeekTo(s.origin())
	return nil
}

// bridge reports what a shard lacks where segments were dropped before they
// were read. e is its next message.
func (s *source) bridge(sh *shard, e *logfile.Entry) error {
	sh.cut = false
	last, known := sh.last, !sh.none
	s.mu.Lock()
	if !known && sh.saved != nil {
		last, known = sh.saved.Done, sh.saved.Begun
	}
	s.mu.Unlock()
	if !known || e.Seq <= logfile.NextSeq(last) {
		return nil
	}
	if s.group != nil && s.cfg.Reset == streamer.ResetError {
		return &streamer.Error{Stream: sh.Stream, Shard: &sh.Shard, Kind: streamer.ErrPositionGone,
			Err: fmt.Errorf("%d was wanted, the log goes on with %d", logfile.NextSeq(last), e.Seq)}
	}
	s.cfg.Gone(sh.StreamShard, streamer.SeqUint(logfile.NextSeq(last)), streamer.SeqUint(e.Seq))
	return nil
}

// atEnd is what happens where the log ends at present.
func (s *source) atEnd(ctx context.Context) error {
	if d := s.r.Stuck(); d != nil && d.Offset != s.reported {
		s.skipBytes(d)
	}
	if s.lagging > 0 {
		return s.await(ctx)
	}
	if s.wake == nil && s.complete() {
		return s.ended()
	}
	if s.r.EOS && s.r.Partial() == 0 && s.complete() {
		return io.EOF
	}
	return s.await(ctx)
}

// ended is io.EOF, unless the log was cut off while it was read: what was to
// come is lost.
func (s *source) ended() error {
	if err := s.intact(); err != nil {
		return err
	}
	return io.EOF
}

// await waits for a change and makes sure, before anything more is read, that
// the log is still the same. What shards have behind them in one that was put
// away is read first.
func (s *source) await(ctx context.Context) error {
	if err := s.wait(ctx); err != nil {
		return err
	}
	check := s.verify
	if s.lagging > 0 {
		check = s.intact
	}
	if err := check(); err != nil {
		return s.vanished(ctx, err)
	}
	return nil
}

// awaitHeader waits for a log that is being created.
func (s *source) awaitHeader(ctx context.Context) error {
	s.committing.Lock()
	err := s.readHead()
	if s.r != nil {
		s.mu.Lock()
		s.identify()
		s.mu.Unlock()
	}
	s.committing.Unlock()
	if err != nil || s.r != nil {
		return err
	}
	if s.wake == nil {
		return io.EOF
	}
	return s.await(ctx)
}
