package streamer

import (
	"time"
)

// ShardID numbers a stream's shard: Kafka partition, Redis key suffix, Kinesis shardId number; 0 where there is one shard.
type ShardID uint64

// StreamShard names one shard.
type StreamShard struct {
	Stream string
	Shard  ShardID
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
	Meta
	Key, Value []byte
	Headers    []Header

	run *run
	i   uint32
}

type run struct{}

// Ack marks the message as done. It never blocks and never fails, may be called from any goroutine, twice, or late: after Close, Seek,
// Rewind or the loss of the shard it does nothing. No-op in RealTime. What is acknowledged is durable with the next commit. It reports whether
// this call counted.
func (m *Message) Ack() bool { panic(0) }

// Clone copies key, value and headers into one new allocation and lets go of the slab. Acknowledging either acknowledges both.
func (m *Message) Clone() *Message { panic(0) }

// NewMessage makes a message for a Consumer that is not this package's, or for a test. ack may be nil; it is called at most once.
func NewMessage(meta Meta, key, value []byte, headers []Header, ack func()) *Message { panic(0) }

// Record is one message to send. Empty Stream: the producer's. Zero Time: now, where the backend lets the sender choose. Nil Shard: by
// Key, or any when Key is nil.
type Record struct {
	Stream     string
	Key, Value []byte
	Headers    []Header
	Time       time.Time
	Shard      *ShardID
}
