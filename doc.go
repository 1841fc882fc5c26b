// Package streamer is one API for event streams: Kafka, Redis Streams, files,
// pipes and memory, chosen by URI.
//
// A stream is split into shards. Within a shard, messages are ordered by Seq. A
// Consumer reads streams in one of three modes; a Producer writes them. Key,
// Value and Headers of a delivered Message are read-only and may be shared with
// other consumers. They stay valid as long as the Message is referenced. A
// Record belongs to the Producer from Send until its Receipt is resolved or, if
// the receipt was dropped, until a later Flush or Close returns.
//
// Four words have one meaning each. Stored: a receipt resolved without an
// error. Acknowledged: the program, or the AckPolicy, called Message.Ack.
// Committed: the acknowledgement survives SIGKILL of this process and, on the
// server's side, what the backend's durability table lists. Durable: what that
// table says. After a crash or the loss of a shard, exactly the messages that
// were delivered and not committed may be redelivered; after a clean Close,
// those delivered and not acknowledged.
package streamer
