// Package conformance is the one suite that every backend of package streamer
// passes. It holds a backend to the twenty promises of docs/semantics.md, case
// by case, and says for each promise whether the backend keeps it, refuses it,
// or cannot meet the situation.
//
// A backend's test is a Harness and one call:
//
//	func TestConformance(t *testing.T) {
//		conformance.Run(t, conformance.Harness{
//			Name:    "memory",
//			Backend: "memory",
//			Open:    open, // an empty, isolated place with the planned streams and shards
//		})
//	}
//
// Every case is a subtest of its promise and runs alone:
//
//	go test ./memory -run 'TestConformance/07-.*/out-of-order-acks'
//
// # Verdicts
//
// A cell of the table is kept, refused, n/a or FAILED. What a backend may
// refuse, and what may not apply to it, is a list inside this package
// (exceptions.go), not in the harness: a harness only names which entries of it
// are true of its configuration. A refusal is asserted (ErrUnsupported from the
// call that asks, at the earliest moment); a harness that names something the
// list does not grant, that leaves out a fault without naming why, or that
// names a refusal which works after all, fails. No case is ever skipped
// silently.
//
// With STREAMER_VERDICTS set to a directory, Run writes its column there as
// JSON; the program in the directory table renders the columns into
// docs/semantics.md.
//
// # What a case may assume
//
// Nothing about speed, about the form of a SeqNo, or about messages being kept
// while nothing listens: consumers are opened before what they must see is
// sent, unless the promise itself is about what was sent before. Every wait has
// a limit (Harness.Hang) and says what it waited for. Every case checks that it
// leaves no goroutine behind, and Run that no descriptor is left.
package conformance
