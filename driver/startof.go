package driver

import (
	"errors"
	"slices"

	"github.com/gostreamer/streamer"
)

// StartOf returns where a shard starts. The zero Position means the committed
// one, or else what FirstOf says. ok is false when Shards or an Each excludes
// the shard.
func (c *SourceConfig) StartOf(s streamer.StreamShard) (p streamer.Position, ok bool) {
	if c.Shards != nil && !slices.Contains(c.Shards[s.Stream], s.Shard) {
		return streamer.Position{}, false
	}
	return c.Start.Of(s)
}

// FirstOf returns where a shard starts for which StartOf returned zero and no
// position is committed: Fallback, or else Beginning for Earliest and End for
// Latest. With ResetError it is ErrPositionGone. ok is false when Fallback is
// an Each without s. FirstOf is not for shards that are new to a group which
// has a position in another shard of the stream: those are read from their
// beginning.
func (c *SourceConfig) FirstOf(s streamer.StreamShard) (p streamer.Position, ok bool, err error) {
	if p, ok = c.Fallback.Of(s); !ok {
		return streamer.Position{}, false, nil
	}
	if p.Kind() != streamer.AtCommitted {
		return p, true, nil
	}
	if c.Reset == streamer.ResetError {
		none := errors.New("the group has no committed position, and reset=error forbids choosing one")
		return streamer.Position{}, false, &streamer.Error{Stream: s.Stream, Shard: &s.Shard, Kind: streamer.ErrPositionGone, Err: none}
	}
	if c.Reset == streamer.Earliest {
		return streamer.Beginning(), true, nil
	}
	return streamer.End(), true, nil
}
