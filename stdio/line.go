package stdio

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/gostreamer/streamer"
)

// appendLine appends a message in the line grammar, with its newline. fitsLine
// and hasStamp have said that it can be done.
func appendLine(dst []byte, m *streamer.Meta, value []byte) []byte {
	dst = appendStamp(append(dst, '['), m.Time)
	dst = append(append(dst, " | "...), m.Stream...)
	dst = strconv.AppendUint(append(dst, " | "...), m.Seq.Uint(), 10)
	dst = strconv.AppendUint(append(dst, " | "...), uint64(m.Shard), 10)
	dst = append(dst, ']')
	if !blank(value) { // a payload of nothing but white space is read as it stands: a space more would be part of it
		dst = append(dst, ' ')
	}
	return append(append(dst, value...), '\n')
}

// fitsLine says why the line grammar cannot hold r: ErrUnsupported, and that
// format=json can.
func fitsLine(r *streamer.Record) error {
	switch {
	case r.Key != nil:
		return onlyJSON("a key")
	case len(r.Headers) > 0:
		return onlyJSON("headers")
	case r.Value == nil:
		return onlyJSON("a nil value")
	case bytes.IndexByte(r.Value, '\n') >= 0:
		return onlyJSON("a value with a newline")
	case !utf8.Valid(r.Value):
		return onlyJSON("a value that is not UTF-8")
	case indented(r.Value):
		return onlyJSON("a value that begins with white space")
	}
	return nil
}

// indented says that value begins with white space, which a reader takes off,
// and continues with something else.
func indented(value []byte) bool {
	trimmed := bytes.TrimLeftFunc(value, unicode.IsSpace)
	return len(trimmed) > 0 && len(trimmed) < len(value)
}

// blank says that value is nothing but white space, or nothing.
func blank(value []byte) bool {
	return len(value) == 0 || len(bytes.TrimLeftFunc(value, unicode.IsSpace)) == 0
}

func onlyJSON(what string) error {
	return fmt.Errorf("the line format has no place for %s, format=json has: %w", what, streamer.ErrUnsupported)
}
