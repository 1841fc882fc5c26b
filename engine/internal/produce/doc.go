// Package produce is the engine's Producer: a bounded buffer in front of a
// driver.Sink, with batches, a time limit for each record, and Flush.
//
// The way of a record: Producer.Send admits it to the buffer (producer.go), a
// batch takes it to the sink (batch.go), and the sink resolves it (sending.go),
// which frees its place and counts it in its epoch (epoch.go). Records that
// take too long are given up (expire.go). Producer.mu guards what is not
// atomic; nothing that blocks is called under it.
package produce
