package logfile

import (
	"encoding/binary"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// The payloads of this package's frames on SeaStreamer's internal key. Each
// starts with a tag of four bytes that no frame of SeaStreamer's has. The
// layouts are part of the file format, docs/file-format.md, and do not change;
// a new one takes a new tag.
//
//	envelope    = "env1" flags stream key count header*      what the next frame's message has beside its payload
//	declaration = "str1" stream shards                       a stream that exists though it may have no message
//	carry       = "seg1" count entry*                 what the segments before this one had, at the start of one
//	entry       = stream shard seq time               the highest of each, in a stream's shard
//	stream      = length byte, name
//	key, header name, header value = uvarint n, then n-1 bytes; 0 is nil
//	flags       = one byte: 1 if the value is nil
const (
	envelopeTag    = "env1"
	declarationTag = "str1"
	carryTag       = "seg1"
	nilValue       = 1
)

// NeedsEnvelope reports whether a record has anything that its own frame cannot
// carry.
func NeedsEnvelope(r *streamer.Record) bool {
	return r.Key != nil || r.Value == nil || len(r.Headers) > 0
}

// AppendEnvelope appends the payload of the frame that goes before r's own.
func AppendEnvelope(b []byte, r *streamer.Record) []byte {
	b = append(b, envelopeTag...)
	b = append(b, flag(r.Value == nil, nilValue), byte(len(r.Stream)))
	b = append(b, r.Stream...)
	b = appendBytes(b, r.Key)
	b = binary.AppendUvarint(b, uint64(len(r.Headers)))
	for i := range r.Headers {
		b = binary.AppendUvarint(b, uint64(len(r.Headers[i].Key))+1)
		b = append(b, r.Headers[i].Key...)
		b = appendBytes(b, r.Headers[i].Value)
	}
	return b
}

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

// appendBytes keeps nil and empty apart.
func appendBytes(b, v []byte) []byte {
	if v == nil {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(v))+1)
	return append(b, v...)
}

// Envelope is a decoded payload. Its slices refer to the payload. Its zero
// value is that of a message without one.
type Envelope struct {
	Stream   []byte
	Key      []byte
	NilValue bool
	Count    int    // headers
	Headers  []byte // still encoded; checked
	Names    int    // bytes of the headers' names
	Size     int    // bytes of key and header values
}

// ParseEnvelope reads a payload. ok is false for anything that is not an
// envelope, to the last byte.
func ParseEnvelope(p []byte) (e Envelope, ok bool) {
	if len(p) < len(envelopeTag)+2 || string(p[:len(envelopeTag)]) != envelopeTag {
		return e, false
	}
	flags, n, p := p[4], int(p[5]), p[6:]
	if len(p) < n || flags&^nilValue != 0 {
		return e, false
	}
	e.NilValue = flags&nilValue != 0
	e.Stream, p = p[:n], p[n:]
	if e.Key, p, ok = CutBytes(p); !ok {
		return e, false
	}
	count, k := binary.Uvarint(p)
	if k <= 0 || count > uint64(len(p)) { // a header takes at least two bytes
		return e, false
	}
	e.Count, e.Headers = int(count), p[k:]
	return e, e.measure()
}

// measure checks the encoded headers and counts their bytes.
func (e *Envelope) measure() (ok bool) {
	e.Size = len(e.Key)
	p := e.Headers
	for range e.Count {
		var name, value []byte
		if name, p, ok = CutBytes(p); !ok || name == nil {
			return false
		}
		if value, p, ok = CutBytes(p); !ok {
			return false
		}
		e.Names += len(name)
		e.Size += len(value)
	}
	return len(p) == 0
}

// CutBytes takes one nilable byte string off the front of p.
func CutBytes(p []byte) (v, rest []byte, ok bool) {
	n, k := binary.Uvarint(p)
	if k <= 0 || n > uint64(len(p)-k)+1 {
		return nil, nil, false
	}
	p = p[k:]
	if n == 0 {
		return nil, p, true
	}
	return p[: n-1 : n-1], p[n-1:], true
}

// Declaration says that a stream exists and how many shards it was made with.
type Declaration struct {
	Stream string
	Shards int
}

// Append appends the payload of the declaration's frame to b.
func (d Declaration) Append(b []byte) []byte {
	b = append(b, declarationTag...)
	b = append(b, byte(len(d.Stream)))
	b = append(b, d.Stream...)
	return binary.AppendUvarint(b, uint64(d.Shards))
}

// ParseDeclaration reads a payload. ok is false for anything that is not a
// declaration of a stream that there can be.
func ParseDeclaration(p []byte) (d Declaration, ok bool) {
	if len(p) < len(declarationTag)+1 || string(p[:len(declarationTag)]) != declarationTag {
		return d, false
	}
	n, p := int(p[4]), p[5:]
	if len(p) < n {
		return d, false
	}
	shards, k := binary.Uvarint(p[n:])
	if k != len(p)-n || shards < 1 || shards > maxShards || !validStream(string(p[:n])) {
		return d, false
	}
	return Declaration{string(p[:n]), int(shards)}, true
}

// maxShards is how many shards a declaration can have.
const maxShards = 1 << 16

// validStream reports whether a stream can have that name.
func validStream(name string) bool { return !strings.HasPrefix(name, ss.Reserved) && ss.ValidKey(name) }

// appendCarry appends the payload of the frame that a segment starts with: what
// is known of the streams of all segments before it.
func appendCarry(b []byte, items []ss.Item) []byte {
	b = append(b, carryTag...)
	b = binary.AppendUvarint(b, uint64(len(items)))
	for _, i := range items {
		b = append(b, byte(len(i.Key)))
		b = append(b, i.Key...)
		b = binary.AppendUvarint(b, i.Shard)
		b = binary.AppendUvarint(b, i.Seq)
		b = binary.AppendUvarint(b, i.Time)
	}
	return b
}

// ParseCarry reads a payload. ok is false for anything that is not a carry, to
// the last byte.
func ParseCarry(p []byte) (items []ss.Item, ok bool) {
	if len(p) < len(carryTag) || string(p[:len(carryTag)]) != carryTag {
		return nil, false
	}
	p = p[len(carryTag):]
	count, k := binary.Uvarint(p)
	if k <= 0 || count > uint64(len(p)) {
		return nil, false
	}
	for p = p[k:]; count > 0; count-- {
		if len(p) == 0 || len(p) < 1+int(p[0]) {
			return nil, false
		}
		i := ss.Item{Key: string(p[1 : 1+p[0]])}
		p = p[1+p[0]:]
		for _, v := range []*uint64{&i.Shard, &i.Seq, &i.Time} {
			if *v, k = binary.Uvarint(p); k <= 0 {
				return nil, false
			}
			p = p[k:]
		}
		items = append(items, i)
	}
	return items, len(p) == 0
}
