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

// Compare is negative, zero or positive as s is before, the same as or after t: by
// stream, then by shard.
func (s StreamShard) Compare(t StreamShard) int {
	return cmp.Or(cmp.Compare(s.Stream, t.Stream), cmp.Compare(s.Shard, t.Shard))
}

// Meta says where a message is. Time is the backend's (UTC, its own precision).
type Meta struct {
	Stream string
	Shard  ShardID
	Seq    SeqNo
	Time   time.Time
}

// Header is one of a message's ordered headers; names may repeat.
type Header struct {
	Key   string
	Value []byte
}

// Message is one delivered message, read-only. It lies in the slab it was fetched with: a kept Message keeps the whole fetch and its
// payloads alive; keep a Clone instead. It may be copied by value; Ack on a copy acknowledges the message.
type Message struct {
	slot inside.Slot // first: see inside.SlotOf

	Meta
	Key, Value []byte
	Headers    []Header
}

// Ack marks the message as done. It never blocks and never fails, may be called from any goroutine, twice, or late: after Close, Seek,
// Rewind or the loss of the shard it does nothing. No-op in RealTime. What is acknowledged is durable with the next commit. It reports whether
// this call counted.
func (m *Message) Ack() bool { return m.slot.Run.Ack(m.slot.I) }

// Clone copies key, value and headers into one new allocation and lets go of the slab. Acknowledging either acknowledges both.
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

// carve appends b to buf, which has room for it, and returns the copy; nil stays nil.
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

// NewMessage makes a message for a Consumer that is not this package's, or for a test. ack may be nil; it is called at most once.
func NewMessage(meta Meta, key, value []byte, headers []Header, ack func()) *Message {
	return &Message{slot: inside.Slot{Run: inside.Once(ack)}, Meta: meta, Key: key, Value: value, Headers: headers}
}

// Record is one message to send. Empty Stream: the producer's. Zero Time: now, where the backend lets the sender choose. Nil Shard: by
// Key, or any when Key is nil.
type Record struct {
	Stream     string
	Key, Value []byte
	Headers    []Header
	Time       time.Time
	Shard      *ShardID
}

// Size is the number of bytes of key, value and headers: what the record counts
// for in ProducerOptions.MaxBufferedBytes and in a backend's limit.
func (r *Record) Size() int { return size(r.Key, r.Value, r.Headers) }
