package streamer

import "slices"

// checkPosition refuses a position that means nothing anywhere.
func checkPosition(p Position) error {
	switch p.Kind() {
	case AtSeq, AfterSeq:
		if p.Seq().IsZero() {
			return invalid("the position's sequence number is zero")
		}
	case PerShard:
		return checkEach(p)
	}
	return nil
}

func checkEach(each Position) error {
	shards := each.Shards()
	if len(shards) == 0 {
		return invalid("Each without a shard would read nothing")
	}
	for _, at := range shards {
		p, _ := each.Of(at)
		if p.Kind() == PerShard {
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
func samePosition(p, o Position) bool {
	if p.Kind() != PerShard || o.Kind() != PerShard {
		return p == o
	}
	shards := p.Shards()
	if !slices.Equal(shards, o.Shards()) {
		return false
	}
	return !slices.ContainsFunc(shards, func(at StreamShard) bool {
		a, _ := p.Of(at)
		b, _ := o.Of(at)
		return !samePosition(a, b)
	})
}
