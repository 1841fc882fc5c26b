package options

import (
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/boundary"
)

// CheckPosition refuses a position that has no meaning anywhere.
func CheckPosition(p streamer.Position) error {
	switch p.Kind() {
	case streamer.AtSeq, streamer.AfterSeq:
		if p.Seq().IsZero() {
			return boundary.Invalid("the position's sequence number is zero")
		}
	case streamer.PerShard:
		return checkEach(p)
	}
	return nil
}

func checkEach(each streamer.Position) error {
	shards := each.Shards()
	if len(shards) == 0 {
		return boundary.Invalid("Each without a shard would read nothing")
	}
	for _, at := range shards {
		p, _ := each.Of(at)
		if p.Kind() == streamer.PerShard {
			return boundary.Invalid("Each does not nest (shard %v of %s)", at.Shard, at.Stream)
		}
		if err := CheckPosition(p); err != nil {
			return err
		}
	}
	return nil
}

// Same says whether two positions mean the same. == also compares which map an
// Each was made from.
func Same(p, o streamer.Position) bool {
	if p.Kind() != streamer.PerShard || o.Kind() != streamer.PerShard {
		return p == o
	}
	shards := p.Shards()
	if !slices.Equal(shards, o.Shards()) {
		return false
	}
	return !slices.ContainsFunc(shards, func(at streamer.StreamShard) bool {
		a, _ := p.Of(at)
		b, _ := o.Of(at)
		return !Same(a, b)
	})
}
