package stdio

import (
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/ndjson"
)

// block is what one read completed: whole lines, each with its newline, though
// the last one of an input may lack it.
type block struct {
	data []byte
	long int64     // data is the start of one line of that many bytes, too long to keep; 0: data is all there is
	read time.Time // the time of lines that say none

	decoded sync.Once
	entries []entry

	// Guarded by the input's lock once the block is published.
	next *block
	nth  int64 // how many blocks came before
	end  int64 // how many bytes came up to the end of this one
}

// entry is one decoded line. Sources share it; it is never changed.
type entry struct {
	*track
	value    []byte
	time     time.Time
	seq      uint64
	json     *ndjson.Line // what else format=json says; nil for a raw line and in format=line
	length   int64        // of a line that is too long, of which value is the start; 0: the line is whole
	everyone bool         // the line names no stream: it is for every source
	odd      bool         // the line looks as if it were in the format and is not
}

// fill makes e a message.
func (e *entry) fill(m *streamer.Message) {
	m.Stream, m.Shard, m.Seq, m.Time, m.Value = e.Stream, e.Shard, e.position(), e.time, e.value
	if e.json != nil {
		m.Key, m.Headers = e.json.Key, e.json.Headers
	}
}

// position is e's number in its shard.
func (e *entry) position() streamer.SeqNo {
	if e.json != nil && !e.json.Seq.IsZero() {
		return e.json.Seq
	}
	return streamer.SeqUint(e.seq)
}
