//go:build !unix

package nonblock

import (
	"io"
	"os"
)

// Reader is r: descriptors have no such state here.
func Reader(r io.Reader) io.Reader { return r }

// Writer is w.
func Writer(_ *os.File, w io.Writer) io.Writer { return w }
