package ndjson

import (
	"github.com/gostreamer/streamer"
)

// Line is one message, or one record on its way, which has no Seq and may leave
// Stream, Shard and Time open.
type Line struct {
	streamer.Meta
	HasShard   bool // the line says Shard
	Key, Value []byte
	Headers    []streamer.Header
}

// Of is the line of m. It shares m's memory.
func Of(m *streamer.Message) Line {
	return Line{Meta: m.Meta, HasShard: true, Key: m.Key, Value: m.Value, Headers: m.Headers}
}

// Record is what l asks to send: its Seq is left out, the stream decides it. It
// shares l's memory.
func (l *Line) Record() streamer.Record {
	r := streamer.Record{Stream: l.Stream, Key: l.Key, Value: l.Value, Headers: l.Headers, Time: l.Time}
	if l.HasShard {
		shard := l.Shard
		r.Shard = &shard
	}
	return r
}
