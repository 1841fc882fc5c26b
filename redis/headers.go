package redis

import (
	"encoding/binary"
	"errors"

	"github.com/gostreamer/streamer"
)

var errHeaders = errors.New("field h does not hold headers")

// appendHeaders packs headers into field h: their count, then for each the
// lengths of name and value before them, all as uvarints.
func appendHeaders(b []byte, headers []streamer.Header) []byte {
	b = binary.AppendUvarint(b, uint64(len(headers)))
	for i := range headers {
		b = binary.AppendUvarint(b, uint64(len(headers[i].Key)))
		b = append(b, headers[i].Key...)
		b = binary.AppendUvarint(b, uint64(len(headers[i].Value)))
		b = append(b, headers[i].Value...)
	}
	return b
}

// parseHeaders appends what b holds to headers. The values are parts of b.
func parseHeaders(headers []streamer.Header, b []byte) ([]streamer.Header, error) {
	n, size := binary.Uvarint(b)
	b = b[max(size, 0):]
	if size <= 0 || n > uint64(len(b)/2) {
		return headers, errHeaders
	}
	for range n {
		name, rest, ok := cutCounted(b)
		if !ok {
			return headers, errHeaders
		}
		value, rest, ok := cutCounted(rest)
		if !ok {
			return headers, errHeaders
		}
		headers = append(headers, streamer.Header{Key: string(name), Value: value})
		b = rest
	}
	if len(b) > 0 {
		return headers, errHeaders
	}
	return headers, nil
}

func cutCounted(b []byte) (part, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, b, false
	}
	end := size + int(n)
	return b[size:end:end], b[end:], true
}
