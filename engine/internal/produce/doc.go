// Package produce is the engine's Producer: a bounded buffer in front of a
// driver.Sink, with batches, a time limit for each record, and Flush.
//
// A record's way: Producer.Send admits it to the buffer (producer.go), a batch
// takes it to the sink (batch.go), the sink resolves it (sending.go), which
// frees its place and counts it in its epoch (epoch.go). What takes too long is
// given up (expire.go). Producer.mu guards what is not atomic; nothing is
// called under it that blocks.
package produce
