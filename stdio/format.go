package stdio

import (
	"fmt"

	"github.com/gostreamer/streamer"
)

// Format is the form of a message on its line.
type Format uint8

const (
	Line Format = iota // "line": SeaStreamer's line grammar
	JSON               // "json": NDJSON that carries everything
)

// ParseFormat is the inverse of String. ErrInvalid lists the words.
func ParseFormat(s string) (Format, error) {
	switch s {
	case "line":
		return Line, nil
	case "json":
		return JSON, nil
	}
	return 0, fmt.Errorf("%w format %q: want line or json", streamer.ErrInvalid, s)
}

func (f Format) String() string {
	switch f {
	case Line:
		return "line"
	case JSON:
		return "json"
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// checkStream says why no line in f can name the stream.
func checkStream(stream string, f Format) error {
	switch {
	case f == Line && !validName(stream):
		return fmt.Errorf("%w stream name %.60q: the line format takes 1 to %d of A-Z a-z 0-9 . _ -", streamer.ErrInvalid, stream, maxName)
	case stream == "" || stream == everyStream:
		return fmt.Errorf("%w stream name %q", streamer.ErrInvalid, stream)
	}
	return nil
}
