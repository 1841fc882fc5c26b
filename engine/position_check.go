package engine

import (
	"slices"

	"github.com/gostreamer/streamer"
)

// checkPosition refuses a position that means nothing anywhere.
func checkPosition(p streamer.Position) error {
	switch p.Kind() {
	case streamer.AtSeq, streamer.AfterSeq:
		if p.Seq().IsZero() {
			return invalid("the position's sequence number is zero")
		}
	case streamer.PerShard:
		return checkEach(p)
	}
	return nil
}

func checkEach(each streamer.Position) error {
	shards := each.Shards()
	if len(shards) == 0 {
		return invalid("Each without a shard would read nothing")
	}
	for _, at := range shards {
		p, _ := each.Of(at)
		if p.Kind() == streamer.PerShard {
			return invalid("Each does not nest (shard %v of %s)", at.Shard, at.Stream)
		}
		if err := checkPosition(p); err != nil {
			return err
		}
	}
	return nil
}

// samePosition compares what two positions say; == also compares which map an
// Each was made from.
func samePosition(p, o streamer.Position) bool {
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
		return !samePosition(a, b)
	})
}
