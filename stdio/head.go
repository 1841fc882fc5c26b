package stdio

import (
	"bytes"
	"math"
	"time"
	"unicode"
	"unicode/utf8"
)

// head is what the brackets at the start of a line say.
type head struct {
	time     time.Time
	stream   []byte
	seq      uint64
	shard    uint64
	hasTime  bool
	hasSeq   bool
	hasShard bool
}

// form tells lines apart.
type form uint8

const (
	raw       form = iota // without a head
	framed                // with a head
	malformed             // with brackets that hold no head
)

// parse reads one line without its newline. The payload is a part of line; h is
// valid for a framed line only.
//
//	line   = framed / raw
//	framed = "[" inner "]" payload         "[" is the first byte; inner is not empty and has no "]"
//	inner  = part *( "|" part )            each part without the white space around it
//	parts  = T | T K | T K S | T K S H | K | K S | K S H
//	T      = YYYY-MM-DDTHH:MM:SS["."1*digit]   time, UTC
//	K      = 1*249( letter / digit / "." / "_" / "-" )   stream
//	S, H   = ["+"] 0 to 2^64-1             sequence number, shard
func (h *head) parse(line []byte) (payload []byte, f form) {
	if len(line) == 0 || line[0] != '[' {
		return line, raw
	}
	end := bytes.IndexByte(line, ']')
	if end <= 1 {
		return line, raw
	}
	*h = head{}
	if !h.parts(line[1:end]) {
		return line, malformed
	}
	return payloadOf(line[end+1:]), framed
}

// The places a part can fill, in order.
const (
	placeTime = iota
	placeStream
	placeSeq
	placeShard
	placeNone
	misplaced
)

func (h *head) parts(inner []byte) bool {
	place := placeTime
	for more := true; more; {
		part := inner
		i := bytes.IndexByte(inner, '|')
		if more = i >= 0; more {
			part, inner = inner[:i], inner[i+1:]
		}
		place = h.part(trim(part), place)
		if place == misplaced {
			return false
		}
	}
	return true
}

// part puts one part into the first place that it fits, from place on, and
// returns the next place.
func (h *head) part(part []byte, place int) int {
	switch place {
	case placeTime:
		if h.time, h.hasTime = parseStamp(part); h.hasTime {
			return placeStream
		}
		fallthrough
	case placeStream:
		if validName(part) {
			h.stream = part
			return placeSeq
		}
	case placeSeq:
		if h.seq, h.hasSeq = parseNumber(part); h.hasSeq {
			return placeShard
		}
	case placeShard:
		if h.shard, h.hasShard = parseNumber(part); h.hasShard {
			return placeNone
		}
	}
	return misplaced
}

// trim takes the white space off both ends of a part. It does the usual blanks
// by hand.
func trim(part []byte) []byte {
	for len(part) > 0 && part[0] == ' ' {
		part = part[1:]
	}
	for len(part) > 0 && part[len(part)-1] == ' ' {
		part = part[:len(part)-1]
	}
	if len(part) > 0 && nameBytes[part[0]] && nameBytes[part[len(part)-1]] {
		return part
	}
	return bytes.TrimSpace(part)
}

// payloadOf is what follows the brackets without the white space in front. What
// is nothing but white space stays as it is.
func payloadOf(rest []byte) []byte {
	if len(rest) > 1 && rest[0] == ' ' && rest[1] > ' ' && rest[1] < utf8.RuneSelf {
		return rest[1:]
	}
	if payload := bytes.TrimLeftFunc(rest, unicode.IsSpace); len(payload) > 0 {
		return payload
	}
	return rest
}

// maxName is the length of the longest stream name that the grammar has.
const maxName = 249

// nameBytes marks what a stream name may consist of.
var nameBytes = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") {
		t[c] = true
	}
	return t
}()

func validName[T string | []byte](name T) bool {
	if len(name) == 0 || len(name) > maxName {
		return false
	}
	for i := range len(name) {
		if !nameBytes[name[i]] {
			return false
		}
	}
	return true
}

// parseNumber reads a decimal number of 64 bits, with leading zeros and one
// plus sign if need be.
func parseNumber(b []byte) (n uint64, ok bool) {
	if len(b) > 1 && b[0] == '+' {
		b = b[1:]
	}
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = 10*n + d
	}
	return n, len(b) > 0
}
