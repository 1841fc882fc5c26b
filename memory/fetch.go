package memory

import (
	"context"

	"github.com/gostreamer/streamer"
)

// span is messages of one shard that lie together.
type span struct {
	streamer.StreamShard
	seq     uint64
	entries []entry
}

// Fetch implements driver.Source.
func (s *source) Fetch(ctx context.Context, emit func([]streamer.Message)) error {
	var seen faultID
	for {
		if err := s.obstacle(ctx, &seen); err != nil {
			return err
		}
		limit := s.cfg.MaxBatch
		if s.shared() {
			limit = min(limit, s.cfg.Room())
		}
		n, report, err := s.take(limit)
		switch {
		case err != nil:
			return err
		case report != nil:
			report()
			s.emitted()
		case n > 0:
			slab := s.deliver(n)
			if len(slab) > 0 {
				emit(slab)
			}
			s.emitted()
			if len(slab) > 0 {
				return nil
			}
		default:
			select {
			case <-s.wake:
			case <-ctx.Done():
			}
		}
	}
}

// obstacle applies the faults that were injected since the last look.
func (s *source) obstacle(ctx context.Context, seen *faultID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f := &s.log.faults
	if !f.newer(*seen) {
		return nil
	}
	c := call{op: Fetch, touches: s.reads, since: *seen}
	v, err := f.apply(ctx, &c)
	*seen = max(*seen, c.newest)
	if err != nil {
		return err
	}
	return v.err()
}

// reads says whether f concerns what s reads.
func (s *source) reads(f *Fault) bool {
	if f.Stream == "" && f.Shard == nil {
		return true
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	for name, sub := range s.subs {
		if f.coversStream(name) && (f.Shard == nil || sub.cursor(*f.Shard) != nil) {
			return true
		}
	}
	return false
}

// take moves what is ready into s.spans, at most limit messages, and counts
// them. Where an entry that is no message comes first it returns how to report
// that instead. Unless n is 0 and report is nil, emitted must be called when
// the caller has called out.
func (s *source) take(limit int) (n int, report func(), err error) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if report, err = s.trouble(); report == nil && err == nil {
		n, report, err = s.gather(limit)
	}
	s.waiting = n == 0 && report == nil && err == nil
	s.emitting = n > 0 || report != nil
	return n, report, err
}

// gather is take's look at the shards.
func (s *source) gather(limit int) (n int, report func(), err error) {
	for n < limit {
		c := s.ready.pop()
		if c == nil {
			break
		}
		if c.blocked() {
			if n == 0 {
				report, err = c.unblock()
			}
			c.offer()
			return n, report, err
		}
		var read int
		s.spans, read = c.read(s.spans, limit-n)
		n += read
		c.offer()
	}
	return n, nil, nil
}

// trouble is what keeps s as a whole from reading.
func (s *source) trouble() (report func(), err error) {
	if s.closed {
		return nil, streamer.ErrClosed
	}
	if s.orphaned {
		return s.mend(), nil
	}
	if s.missing != "" {
		return nil, missing(s.missing, errStreamDeleted)
	}
	return nil, nil
}

// deliver makes messages of the spans. The payloads are shared with the log and
// with every other reader.
func (s *source) deliver(n int) []streamer.Message {
	slab := make([]streamer.Message, n)
	rest := slab
	for _, sp := range s.spans {
		for i := range sp.entries {
			e, m := &sp.entries[i], &rest[i]
			m.Stream, m.Shard, m.Seq, m.Time = sp.Stream, sp.Shard, streamer.SeqUint(sp.seq+uint64(i)), e.at
			m.Key, m.Value, m.Headers = e.key, e.value, e.headers
		}
		rest = rest[len(sp.entries):]
	}
	return s.log.faults.lose(slab)
}

// emitted ends what take began and lets a waiting settle continue.
func (s *source) emitted() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.emitting = false
	clear(s.spans)
	s.spans = s.spans[:0]
	if s.quiet != nil {
		close(s.quiet)
		s.quiet = nil
	}
}
