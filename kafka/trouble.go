package kafka

import (
	"context"
	"errors"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Every error of a fetch is handled here, because the client keeps fetching
// what failed, at once and without end.

var errCaughtUp = errors.New("the broker that was asked is behind")

// troubles deals with the errors among fetches: nil when all are mended, a
// Transient error when they may pass.
func (s *source) troubles(ctx context.Context, fetches kgo.Fetches) error {
	var fatal, passing error
	fetches.EachError(func(topic string, partition int32, err error) {
		if ctx.Err() != nil || errors.Is(err, context.Canceled) || fatal != nil {
			return
		}
		mended, lasting := s.mend(ctx, topic, partition, err)
		switch {
		case mended:
		case lasting:
			fatal = s.place(topic, partition, err)
		default:
			passing = s.place(topic, partition, err)
		}
	})
	if fatal != nil {
		s.fail(fatal)
		return fatal
	}
	return driver.Transient(passing, errorPause)
}

// mend deals with one error. One that is not mended lasts, or may pass.
func (s *source) mend(ctx context.Context, topic string, partition int32, err error) (mended, lasting bool) {
	if errors.Is(err, kgo.ErrClientClosed) {
		return false, true
	}
	if session, ok := errors.AsType[*kgo.ErrGroupSession](err); ok {
		return false, lastingInGroup(session.Err)
	}
	at := shardOf(topic, partition)
	if large, ok := errors.AsType[*kgo.ErrDecompressTooLarge](err); ok {
		s.skip(at, large.NextOffset, err)
		return true, false
	}
	if _, ok := errors.AsType[*kgo.ErrDataLoss](err); ok { // see truncated
		return true, false
	}
	code, ok := errors.AsType[*kerr.Error](err)
	switch {
	case isUnreadable(err):
		s.suspect(at, err)
		return true, false
	case errors.Is(err, kerr.OffsetOutOfRange):
		return s.outOfRange(ctx, at) == nil, false
	case isVanished(err):
		s.lookNow()
		return false, false
	case ok:
		return false, kinds[code] != nil && !code.Retriable
	case partition < 0 || isNetwork(err):
		return false, false
	}
	s.suspect(at, err)
	return true, false
}

// place says what an error is about.
func (s *source) place(topic string, partition int32, err error) error {
	switch {
	case topic == "":
		return typed(err)
	case partition < 0:
		return onStream(topic, err)
	}
	return onShard(shardOf(topic, partition), err)
}

// isVanished says that a topic may have been deleted.
func isVanished(err error) bool {
	return errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.InconsistentTopicID)
}

// lastingInGroup says that a member can never join, or never again.
func lastingInGroup(err error) bool {
	for _, code := range [...]error{
		kerr.GroupAuthorizationFailed, kerr.TopicAuthorizationFailed, kerr.InconsistentGroupProtocol, kerr.InvalidSessionTimeout,
		kerr.InvalidGroupID, kerr.GroupMaxSizeReached, kerr.FencedInstanceID, kerr.UnsupportedVersion,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// move makes a shard continue at a position.
func (s *source) move(at streamer.StreamShard, to position) {
	s.mu.Lock()
	if sh := s.shards[at]; sh != nil {
		sh.next = to.offset
		sh.epochs.note(to.offset-1, to.epoch)
	}
	s.mu.Unlock()
	s.seek(at, to)
}

// seek makes the client fetch from a position on.
func (s *source) seek(at streamer.StreamShard, to position) {
	s.cl.SetOffsets(map[string]map[int32]kgo.EpochOffset{at.Stream: {partitionOf(at.Shard): {Epoch: to.epoch, Offset: to.offset}}})
}

// skip skips everything before next, which cannot be decoded.
func (s *source) skip(at streamer.StreamShard, next int64, err error) {
	s.move(at, position{next, noEpoch})
	s.cfg.Skipped(at, seqOf(next-1), err)
}
