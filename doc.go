// Package streamer is one API for event streams: Kafka, Redis Streams, files, pipes and memory, chosen by URI.
//
// A stream is split into shards; inside a shard messages are ordered by Seq. A Consumer reads streams in one of three modes,
// a Producer writes them. Key, Value and Headers of a delivered Message are read-only and may be shared with other consumers;
// they stay valid as long as the Message is referenced. A Record belongs to the Producer from Send until its Receipt is resolved or, if
// that was dropped, until a later Flush or Close returns.
//
// Four words have one meaning each. Stored: a receipt resolved without error. Acknowledged: Message.Ack was called, or the policy called it.
// Committed: the acknowledgement survives SIGKILL of this process, and whatever the backend's Durability table says of the server's
// end. Durable: what that table says. After a crash or the loss of a shard, exactly the messages delivered and not committed may come again;
// after a clean Close those delivered and not acknowledged.
package streamer
