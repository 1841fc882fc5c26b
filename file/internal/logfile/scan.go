package logfile

import (
	"context"
	"errors"
	"io"
	"math"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// Each calls f for every message from where r stands to the end of what it
// reads, until f returns false. Damage that tells which message was lost comes
// as an entry too, with damaged set.
func (r *Reader) Each(ctx context.Context, f func(e *Entry, damaged bool) bool) error {
	var e Entry
	for {
		err := r.NextEntry(&e)
		if err == nil {
			if !f(&e, false) {
				return nil
			}
			continue
		}
		if d, ok := errors.AsType[*ss.Damage](err); ok {
			if d.Frame.Key != nil && !f(&Entry{Frame: d.Frame, Start: d.Offset}, true) {
				return nil
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.ReadOn(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// ShardOf is the stream and shard of a frame.
func ShardOf(f *ss.Frame) streamer.StreamShard {
	return streamer.StreamShard{Stream: string(f.Key), Shard: streamer.ShardID(f.Shard)}
}

// Ending is the end of a log: where it is, and the last number of every shard
// that the last beacons and what follows them name.
type Ending struct {
	End   int64
	Last  map[streamer.StreamShard]uint64
	Whole bool // it names every shard of a log that this package alone has written
}

// See notes a number.
func (e *Ending) See(at streamer.StreamShard, seq uint64) {
	if n, ok := e.Last[at]; !ok || n < seq {
		e.Last[at] = seq
	}
}

const (
	// lookBackBeacons is how many beacons are read for shards that the last one
	// has no room to name.
	lookBackBeacons = 64
	// enoughBytes of them end that sooner, when the last few have named nothing
	// new: they take turns.
	enoughBytes = 128 << 10
)

// Ending reads the last segment of the log and the beacons before it.
func (v *View) Ending(ctx context.Context) (Ending, error) {
	e := Ending{Last: map[streamer.StreamShard]uint64{}}
	for n := v.Beacons(); ; n-- {
		torn, err := v.torn(n)
		if err != nil {
			return e, err
		}
		if torn {
			continue
		}
		r := v.Reader()
		r.moveToBeacon(n)
		err = r.Each(ctx, func(m *Entry, _ bool) bool {
			e.See(ShardOf(&m.Frame), m.Seq)
			return true
		})
		if err != nil {
			return e, err
		}
		if r.UpTo < 0 && !r.Aligned() {
			continue
		}
		e.End = r.end()
		return e, v.addNamed(n, &e)
	}
}

// torn reports whether the frame that beacon n splits is not all there, or the
// beacon isn't: the end of the log is before it. Of a frame that lacks but a
// few bytes it may not know.
func (v *View) torn(n int64) (bool, error) {
	if n <= v.low() {
		return false, nil
	}
	b, ok, err := v.Beacon(n)
	if !ok {
		return true, err
	}
	// The beacons that split the same frame sum up the same shards, so they are
	// about as large.
	further := max(int64(b.Remaining)-1, 0) / max(int64(v.Interval)-int64(b.Size), 1)
	return n*int64(v.Interval)+int64(b.Remaining)+(1+further)*int64(b.Size) > v.Size, nil
}

// end is where a writer would continue, when everything was read.
func (r *Reader) end() int64 {
	if d := r.Stuck(); d != nil {
		return d.Offset
	}
	if r.UpTo < 0 {
		return r.Offset() // a beacon and nothing behind it
	}
	return r.UpTo
}

// addNamed adds what beacons name, from beacon n back as long as they are full
// and name others. Of a series of segments that is the last one, and what was
// before it. A beacon that has room for more names every shard.
func (v *View) addNamed(n int64, e *Ending) error {
	low, carried := int64(0), true
	if v.Segments != nil {
		bases := v.Segments.bases()
		low = bases[len(bases)-1] / int64(v.Interval)
		b, ok, err := v.Beacon(low)
		if err != nil {
			return err
		}
		e.named(b.Items)
		carried = ok || low == 0
	}
	e.Whole = carried && n <= low
	idle, read := 0, int64(0)
	for i := range min(n-low, lookBackBeacons) {
		b, ok, err := v.Beacon(n - i)
		if err != nil {
			return err
		}
		before := len(e.Last)
		e.named(b.Items)
		if ok && len(b.Items) < ss.ItemCap(v.Interval) {
			e.Whole = carried && i == 0
			return nil
		}
		read += min(int64(v.Interval), ss.UsualBeacon)
		if idle++; len(e.Last) > before {
			idle = 0
		}
		if idle > 2 && read >= enoughBytes {
			return nil
		}
	}
	return nil
}

func (e *Ending) named(items []ss.Item) {
	for _, item := range items {
		if item.Key != ss.Internal {
			e.See(streamer.StreamShard{Stream: item.Key, Shard: streamer.ShardID(item.Shard)}, item.Seq)
		}
	}
}

// NextSeq is the number that the message after last gets; the highest number
// has none after it.
func NextSeq(last uint64) uint64 {
	if last == math.MaxUint64 {
		return last
	}
	return last + 1
}
