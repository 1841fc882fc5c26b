// Package wait holds the ways to wait that several packages share: pauses
// between tries, waits that a context bounds, and the one close of many
// callers.
package wait
