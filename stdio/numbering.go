package stdio

import (
	"math"

	"github.com/gostreamer/streamer"
)

// broadcast is the stream of a line that names none.
const broadcast = "broadcast"

// track is one shard of a stream that one input or output has come across.
type track struct {
	streamer.StreamShard
	id   int    // its place in the order of coming across
	next uint64 // the number of the next message that brings none
}

// take gives out the next number. The last one is given out again and again:
// there is none behind it.
func (t *track) take() uint64 {
	n := t.next
	t.setAfter(n)
	return n
}

// setAfter continues behind n.
func (t *track) setAfter(n uint64) {
	t.next = n
	if n < math.MaxUint64 {
		t.next++
	}
}

// numbering knows the tracks of one input or output. One user at a time.
type numbering struct {
	tracks map[streamer.StreamShard]*track
	last   *track // lines of one track tend to come together
}

// of finds the track of a shard and makes it when it is new.
func (n *numbering) of(stream []byte, shard streamer.ShardID) *track {
	if t := n.last; t != nil && t.Shard == shard && t.Stream == string(stream) {
		return t
	}
	if t := n.tracks[streamer.StreamShard{Stream: string(stream), Shard: shard}]; t != nil {
		n.last = t
		return t
	}
	return n.ofName(string(stream), shard)
}

// ofName is of for a name that is a string already.
func (n *numbering) ofName(stream string, shard streamer.ShardID) *track {
	if t := n.last; t != nil && t.Shard == shard && t.Stream == stream {
		return t
	}
	s := streamer.StreamShard{Stream: stream, Shard: shard}
	if n.tracks == nil {
		n.tracks = make(map[streamer.StreamShard]*track)
	}
	t := n.tracks[s]
	if t == nil {
		t = &track{StreamShard: s, id: len(n.tracks)}
		n.tracks[s] = t
	}
	n.last = t
	return t
}
