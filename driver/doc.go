// Package driver is the contract between a backend and the engine: what
// database/sql/driver is to database/sql. Programs do not import it.
//
// A backend implements Backend, Source and Sink, and those of the optional
// interfaces that its service allows. Its package registers it with
// engine.Register and reads its URI with Options and Bind. The package
// conformance tests it.
//
// Terms: a slab is the slice of messages that one call of emit hands over. A
// message is emitted when emit has returned, handed out when the program has
// it, and done when it is acknowledged. A group is dealt when its members share
// a source in this process because the backend has no groups.
package driver
