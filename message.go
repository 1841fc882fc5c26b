package streamer

import (
	"cmp"
	"time"

	"github.com/gostreamer/streamer/internal/inside"
)

// StreamShard names one shard.
type StreamShard struct {
	Stream string
	Shard  ShardID
}

// Compare is negative, zero or positive as s sorts before, with or after t: by
// stream, then by shard.
func (s StreamShard) Compare(t StreamShard) int {
	return cmp.Or(cmp.Compare(s.Stream, t.Stream), cmp.Compare(s.Shard, t.Shard))
}

// Meta says where a message is. Time is the backend's, in UTC and in its
// precision.
type Meta struct {
	Stream string
	Shard  ShardID
	Seq    SeqNo
	Time   time.Time
}

// Header is one of a message's ordered headers. Keys may repeat.
type Header struct {
	Key   string
	Value []byte
}

// Message is one delivered message. It is read-only. A Message that is kept
// keeps the whole fetch and its payloads in memory: keep a Clone instead. It
// may be copied by value; Ack on a copy acknowledges the message.
type Message struct {
	slot inside.Slot // first: inside.SlotOf relies on it

	Meta
	Key, Value []byte
	Headers    []Header
}

// Ack acknowledges the message and reports whether this call counted. It never
// blocks, never fails and may be called from any goroutine. A second call does
// nothing, nor does one after Close, Seek, Rewind or the loss of the shard. In
// RealTime Ack does nothing. The next commit makes an acknowledgement durable.
func (m *Message) Ack() bool { return m.slot.Run.Ack(m.slot.I) }

// Clone returns a copy whose key, value and headers are in one new allocation,
// so that it does not keep the fetch in memory. Acknowledging either
// acknowledges both.
func (m *Message) Clone() *Message {
	c := *m
	buf := make([]byte, 0, m.Size())
	buf, c.Key = carve(buf, m.Key)
	buf, c.Value = carve(buf, m.Value)
	if m.Headers == nil {
		return &c
	}
	c.Headers = make([]Header, len(m.Headers))
	for i, h := range m.Headers {
		buf, c.Headers[i].Value = carve(buf, h.Value)
		c.Headers[i].Key = h.Key
	}
	return &c
}

// carve appends b to buf, which has room for it, and returns the copy. Nil
// stays nil.
func carve(buf, b []byte) (rest, dup []byte) {
	if b == nil {
		return buf, nil
	}
	from := len(buf)
	buf = append(buf, b...)
	return buf, buf[from:len(buf):len(buf)]
}

// Size is the number of bytes of the payload: key, value and headers.
func (m *Message) Size() int { return size(m.Key, m.Value, m.Headers) }

func size(key, value []byte, headers []Header) int {
	n := len(key) + len(value)
	for i := range headers {
		n += len(headers[i].Key) + len(headers[i].Value)
	}
	return n
}

// NewMessage returns a message for a Consumer of another package or for a test.
// Ack calls ack, at most once. ack may be nil.
func NewMessage(meta Meta, key, value []byte, headers []Header, ack func()) *Message {
	return &Message{slot: inside.Slot{Run: inside.Once(ack)}, Meta: meta, Key: key, Value: value, Headers: headers}
}

// Record is one message to send.
type Record struct {
	Stream     string // "": the producer's
	Key, Value []byte
	Headers    []Header
	Time       time.Time // zero: now; used where the backend lets the sender choose
	Shard      *ShardID  // nil: chosen by Key, or any shard when Key is nil
}

// Size is the number of bytes of key, value and headers: what the record counts
// for in ProducerOptions.MaxBufferedBytes and in a backend's limit.
func (r *Record) Size() int { return size(r.Key, r.Value, r.Headers) }
