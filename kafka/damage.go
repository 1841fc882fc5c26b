package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A batch that is damaged on a broker's disk appears in four ways. The client
// says that it cannot decode it; or the broker answers CORRUPT_MESSAGE, which
// the client retries silently; or the batch seems longer than what arrived, and
// the client requests it forever; or longer than the file, and the broker finds
// nothing there. A header with a wrong checksum does not say where the next
// batch begins, so the bytes of the broker are searched for it.

const (
	// maxCorrupt is how often a batch that cannot be decoded is fetched before
	// it is skipped: once may have been the network.
	maxCorrupt = 3
	// rescueTime bounds the work on one shard, during which the others, and a
	// rebalance, wait.
	rescueTime = 10 * time.Second
	// leastRaw and mostRaw are how many bytes behind the damage are looked
	// through.
	leastRaw, mostRaw = 64 << 10, 64 << 20
)

// trouble counts the fetches of a batch that cannot be decoded. It is Fetch's.
type trouble struct {
	at    streamer.StreamShard
	next  int64
	times int
}

// finding is what a broker has at an offset.
type finding struct {
	damage error  // nil: none
	hollow bool   // the broker finds nothing, though that is not its end
	doubt  bool   // the broker may fail for another reason
	batch  extent // the batch there, or the next one; empty when there is none
}

// isUnreadable says that a broker may have met damage in what it was to send.
// Which code it answers with depends on what the damage makes it believe.
func isUnreadable(err error) bool {
	return errors.Is(err, kerr.CorruptMessage) || errors.Is(err, kerr.InvalidRecord) || errors.Is(err, kerr.UnknownServerError)
}

// unreadable is the code for what is damaged, beside the one that came.
func unreadable(code error) error {
	if errors.Is(code, kerr.CorruptMessage) {
		return code
	}
	return fmt.Errorf("%w: %w", kerr.CorruptMessage, code)
}

// suspect records that a shard cannot be read at its position. A nil cause is
// for rescue to find.
func (s *source) suspect(at streamer.StreamShard, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shards[at] == nil {
		return
	}
	if s.suspects == nil {
		s.suspects = make(map[streamer.StreamShard]error)
	}
	s.suspects[at] = cause
	if s.interrupt != nil {
		s.interrupt()
	}
}

// rescueAll looks into all suspects. An error is one that may pass.
func (s *source) rescueAll(ctx context.Context, emit func([]streamer.Message)) error {
	s.mu.Lock()
	suspects := s.suspects
	s.suspects = nil
	s.mu.Unlock()
	var passing error
	for at, cause := range suspects {
		bounded, cancel := context.WithTimeout(ctx, rescueTime)
		err := s.rescue(bounded, at, cause, emit)
		cancel()
		if err != nil && ctx.Err() == nil {
			passing = &streamer.Error{Stream: at.Stream, Shard: &at.Shard, Err: err}
		}
	}
	return passing
}

// rescue skips what is damaged where a shard is, and nothing else.
func (s *source) rescue(ctx context.Context, at streamer.StreamShard, cause error, emit func([]streamer.Message)) error {
	for {
		here, ours := s.position(at)
		if !ours {
			return nil
		}
		next := here.offset
		f, err := s.examine(ctx, at, next)
		switch {
		case err != nil:
			s.seek(at, here) // the client may have gone on
			return err
		case f.damage != nil:
			if err := s.passDamage(ctx, at, next, f, emit); err != nil {
				return err
			}
			cause = nil
		case cause == nil:
			return nil
		case isUnreadable(cause): // it can be read now
			s.seek(at, here)
			return cause
		default:
			return s.undecodable(at, here, f.batch, cause)
		}
	}
}

// position is where a shard continues; ours when it is read and that is known.
func (s *source) position(at streamer.StreamShard) (p position, ours bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shards[at]
	if sh == nil || sh.next == unresolved {
		return p, false
	}
	return sh.position(), true
}

// undecodable skips a batch that is as its checksum says, and that the
// client cannot decode, when that has failed often enough.
func (s *source) undecodable(at streamer.StreamShard, here position, batch extent, cause error) error {
	next := here.offset
	if s.corrupt.at != at || s.corrupt.next != next {
		s.corrupt = trouble{at: at, next: next}
	}
	switch s.corrupt.times++; {
	case batch.size > 0 && batch.base > next: // the broker itself skips what the client met
		s.skip(at, batch.base, cause)
	case batch.size > 0 && s.corrupt.times >= maxCorrupt:
		s.skip(at, batch.last+1, cause)
	default:
		s.seek(at, here) // the client may have gone on
		return cause
	}
	return nil
}

// examine fetches what a broker has at an offset; what seems damaged, more than
// once.
func (s *source) examine(ctx context.Context, at streamer.StreamShard, offset int64) (f finding, err error) {
	for range maxCorrupt {
		got, err := s.askOne(ctx, at, offset, leastRaw)
		if err != nil {
			return f, err
		}
		if f, err = s.judge(got, offset); err != nil || f.damage == nil {
			return f, err
		}
	}
	if f.hollow && !s.torn(ctx, at, offset) {
		return finding{}, nil
	}
	return f, nil
}

// torn says whether what is in front of an offset ends with something that is
// no batch. Else compaction has removed what was there.
func (s *source) torn(ctx context.Context, at streamer.StreamShard, offset int64) bool {
	for back := int64(1); back <= offset; back *= 2 {
		for size := int32(leastRaw); size <= mostRaw; size *= 4 {
			got, err := s.askOne(ctx, at, offset-back, size)
			if err != nil {
				return false
			}
			if got.ErrorCode != 0 || len(got.RecordBatches) == 0 {
				break
			}
			if len(got.RecordBatches) < int(size) {
				return len(leftover(got.RecordBatches, offset)) > 0
			}
		}
	}
	return true
}

// finish is where reading ends now.
func (s *source) finish(got answer) int64 {
	if s.b.cfg.Isolation == Committed {
		return got.LastStableOffset
	}
	return got.HighWatermark
}

func (s *source) judge(got answer, offset int64) (f finding, err error) {
	switch code := kerr.ErrorForCode(got.ErrorCode); {
	case isUnreadable(code):
		return finding{damage: fmt.Errorf("the broker cannot read offset %d: %w", offset, unreadable(code)), doubt: errors.Is(code, kerr.UnknownServerError)}, nil
	case code != nil:
		return f, code
	}
	rest := leftover(got.RecordBatches, offset)
	switch {
	case len(rest) == 0 && offset < s.finish(got):
		return finding{hollow: true, damage: fmt.Errorf("the broker finds nothing at offset %d: %w", offset, kerr.CorruptMessage)}, nil
	case len(rest) == 0:
		return f, nil
	}
	var ok bool
	if f.batch, ok = intact(rest); !ok {
		f = finding{damage: fmt.Errorf("the batch at offset %d is damaged: %w", offset, kerr.CorruptMessage)}
	}
	return f, nil
}

// passDamage continues behind what is damaged. What a broker has behind it and
// cannot find is emitted here.
func (s *source) passDamage(ctx context.Context, at streamer.StreamShard, next int64, met finding, emit func([]streamer.Message)) error {
	ends, left, err := s.b.bounds(ctx, []streamer.StreamShard{at})
	if err = cmp.Or(err, left[at]); err != nil {
		return err
	}
	got, err := s.rest(ctx, at, next, ends[at])
	if err != nil {
		return err
	}
	if got == nil {
		got, err = s.found(ctx, at, next, ends[at].end)
	}
	switch {
	case err != nil:
		return err
	case got == nil && met.doubt:
		return met.damage // which may pass
	case got == nil:
		s.skip(at, ends[at].end, met.damage)
		return nil
	}
	first, _ := intact(got.RecordBatches)
	if first.base > next {
		next = first.base
		s.skip(at, next, met.damage)
	}
	f, err := s.examine(ctx, at, next)
	if err != nil || f.damage == nil {
		return err
	}
	return s.salvage(at, next, got, emit)
}

// rest is what a broker has behind the damage at an offset, from the next
// intact batch on; nil when there is none. Where the broker cannot begin at
// that offset it is asked from an earlier one, since it does not look at what
// it sends.
func (s *source) rest(ctx context.Context, at streamer.StreamShard, offset int64, ends bounds) (answer, error) {
	for back := int64(0); ; back = max(2*back, 1) {
		from := max(offset-back, ends.first)
		for size := int32(leastRaw); size <= mostRaw; size *= 4 {
			got, err := s.askOne(ctx, at, from, size)
			if err != nil {
				return nil, err
			}
			if got.ErrorCode != 0 || len(got.RecordBatches) == 0 {
				break
			}
			if found := behind(leftover(got.RecordBatches, offset), offset); found != nil {
				got.RecordBatches = found
				return got, nil
			}
			if len(got.RecordBatches) < int(size) {
				return nil, nil //nolint:nilnil // no error, and nothing
			}
		}
		if from == ends.first || back > offset {
			return nil, nil //nolint:nilnil // no error, and nothing
		}
	}
}

// salvage emits the records of batches that the client cannot fetch.
func (s *source) salvage(at streamer.StreamShard, next int64, got answer, emit func([]streamer.Message)) error {
	level := kgo.ReadCommitted()
	if s.b.cfg.Isolation == Uncommitted {
		level = kgo.ReadUncommitted()
	}
	fp, after := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true,
		Offset:             next,
		IsolationLevel:     level,
		Topic:              at.Stream,
		Partition:          partitionOf(at.Shard),
	}, got, kgo.DefaultDecompressor(), nil)
	if after <= next {
		return errors.Join(errNoBatch, fp.Err)
	}
	s.deliver(kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: at.Stream, Partitions: []kgo.FetchPartition{fp}}}}}, nil, emit)
	s.move(at, s.reached(at, after))
	return nil
}

// reached is an offset behind what was read of a shard.
func (s *source) reached(at streamer.StreamShard, offset int64) position {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh := s.shards[at]; sh != nil {
		return position{offset, sh.epochs.before(offset)}
	}
	return position{offset, noEpoch}
}

var errNoBatch = errors.New("the broker sends no batch there")
