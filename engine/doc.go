// Package engine implements the API of the package streamer over a
// driver.Backend. Programs do not import it. A backend's package registers its
// scheme with Register, builds Streamers in code with New, and offers native
// access with BackendOf.
//
// The way of a message: a session (session.go) has one open source. Its fetch
// goroutine (flow_fetch.go) takes slabs and records them in a ledger for each
// shard (ledger.go, run.go). Their messages go to the queues of the session's
// members (queue.go), from which consumers take them (consumer_read.go). Ack
// sets a bit in the ledger, and the commit goroutine (commit_loop.go) commits
// what is done up to the first gap. docs/design.md has the invariants and the
// lock order.
package engine
