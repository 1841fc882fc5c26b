package ss

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// HeaderSize is the size of a file's header: message bytes start there.
	HeaderSize = 128
	// MinInterval is the smallest distance of beacons: a smaller one would put
	// a beacon into the header.
	MinInterval = 128
	// MaxTime is the last millisecond of the year 9999, the latest time that
	// SeaStreamer reads.
	MaxTime = 253402300799999

	maxName = HeaderSize - 17 // what magic, version, length byte, created, interval and the last byte leave
	version = 1
	mark    = 0x0D // the byte that ends headers, frames and beacons
)

// ErrHeader is the error of bytes that are no header.
var ErrHeader = errors.New("not an .ss file")

// Header starts a file. Name is the file's base name at its creation, Created
// in milliseconds since 1970, Interval the distance of beacons.
type Header struct {
	Name     string
	Created  uint64
	Interval uint32
}

// Append appends the header's 128 bytes. A name that is too long is cut, one
// that is not UTF-8 is mended: it is a comment, not a reference.
func (h Header) Append(b []byte) []byte {
	name := cutName(h.Name)
	end := len(b) + HeaderSize
	b = append(b, 'S', 's', version, byte(len(name)))
	b = append(b, name...)
	b = binary.BigEndian.AppendUint64(b, h.Created)
	b = binary.BigEndian.AppendUint32(b, h.Interval)
	for len(b) < end-1 {
		b = append(b, 0)
	}
	return append(b, mark)
}

func cutName(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= maxName {
		return s
	}
	n := maxName
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// ParseHeader reads the first 128 bytes of a file. It does not look at the
// padding, as SeaStreamer doesn't.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("%w: %d bytes are shorter than a header", ErrHeader, len(b))
	}
	if b[0] != 'S' || b[1] != 's' {
		return Header{}, fmt.Errorf("%w: it starts with % x instead of 53 73", ErrHeader, b[:2])
	}
	if b[2] != version {
		return Header{}, fmt.Errorf("%w of version 1: version %d", ErrHeader, b[2])
	}
	n := int(b[3])
	if n > maxName+1 { // SeaStreamer reads a name that takes the last byte too
		return Header{}, fmt.Errorf("%w: a name of %d bytes does not fit", ErrHeader, n)
	}
	name, rest := b[4:4+n], b[4+n:]
	if !utf8.Valid(name) {
		return Header{}, fmt.Errorf("%w: the name is not UTF-8", ErrHeader)
	}
	h := Header{string(name), binary.BigEndian.Uint64(rest), binary.BigEndian.Uint32(rest[8:])}
	if h.Interval < MinInterval {
		return Header{}, fmt.Errorf("%w: a beacon interval of %d is less than %d", ErrHeader, h.Interval, MinInterval)
	}
	if h.Created > MaxTime {
		return Header{}, fmt.Errorf("%w: the creation time is out of range", ErrHeader)
	}
	return h, nil
}
