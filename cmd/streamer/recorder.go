package main

import (
	"fmt"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/ndjson"
)

// recorder turns lines of input into records.
type recorder struct {
	json    bool
	named   bool // the URI names the stream, whatever a line says
	key     []byte
	headers []streamer.Header
	shard   *streamer.ShardID
	keeps   bool // the shard that a line names

	parser ndjson.Parser
}

// record shares the line's memory. An error is about this line alone.
func (r *recorder) record(l line) (streamer.Record, error) {
	record := streamer.Record{Value: l.text}
	if r.json {
		var parsed ndjson.Line
		if err := r.parser.Parse(l.text, &parsed); err != nil {
			return record, fmt.Errorf("%w: %w", streamer.ErrInvalid, err)
		}
		record = parsed.Record()
	}
	if !r.keeps {
		record.Shard = nil // it says where the message was; where it goes the target decides
	}
	if r.named {
		record.Stream = ""
	}
	if record.Key == nil {
		record.Key = r.key
	}
	if r.shard != nil {
		record.Shard = r.shard
	}
	if len(r.headers) > 0 {
		record.Headers = append(record.Headers[:len(record.Headers):len(record.Headers)], r.headers...)
	}
	return record, nil
}
