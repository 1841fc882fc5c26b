package redis

import (
	"errors"
	"slices"

	"github.com/gostreamer/streamer"
)

// page is what one lane brings to one Fetch: messages, and what is to be
// reported between them.
type page struct {
	messages []streamer.Message
	headers  []streamer.Header
	notes    []note
}

// note is reported when the messages before it are emitted.
type note struct {
	before int
	report func()
}

func (p *page) empty() bool { return len(p.messages) == 0 && len(p.notes) == 0 }

func (p *page) report(tell func()) { p.notes = append(p.notes, note{len(p.messages), tell}) }

var errNoValue = errors.New("the entry has no field " + fieldValue)

// add makes a message of an entry, or the note that it is none.
func (p *page) add(s *source, sh *shard, e *entry) {
	var headers []streamer.Header
	var err error
	switch {
	case e.has&hasValue == 0:
		err = errNoValue
	case e.has&hasHeaders != 0:
		headers, err = p.unpack(e.headers)
	}
	if err != nil {
		at, seq := sh.StreamShard, e.at.seqNo()
		p.report(func() { s.cfg.Skipped(at, seq, err) })
		return
	}
	p.messages = append(p.messages, streamer.Message{
		Meta: streamer.Meta{Stream: sh.Stream, Shard: sh.Shard, Seq: e.at.seqNo(), Time: e.at.time()},
		Key:  e.key, Value: e.value, Headers: headers,
	})
}

// unpack reads headers into memory that the page's messages share.
func (p *page) unpack(b []byte) ([]streamer.Header, error) {
	from := len(p.headers)
	all, err := parseHeaders(p.headers, b)
	if err != nil {
		return nil, err
	}
	p.headers = all
	return all[from:len(all):len(all)], nil
}

// room makes room for n more messages.
func (p *page) room(n int) { p.messages = slices.Grow(p.messages, n) }

// emit hands everything to the engine, in order, and says whether a message was
// among it.
func (p *page) emit(most int, emit func([]streamer.Message)) bool {
	from := 0
	flush := func(to int) {
		for from < to {
			end := min(from+most, to)
			emit(p.messages[from:end:end])
			from = end
		}
	}
	for _, n := range p.notes {
		flush(n.before)
		n.report()
	}
	flush(len(p.messages))
	return len(p.messages) > 0
}
