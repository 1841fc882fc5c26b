package stdio

import (
	"io"
	"os"
	"sync"
)

// std is the package's only state: the one reader of standard input and the one
// writer of standard output of this process, each made when it is first asked
// for, and again when the program has replaced os.Stdin or os.Stdout.
var std struct {
	sync.Mutex
	in      *input
	inFile  *os.File
	out     *output
	outFile *os.File
}

func inputOf(r io.Reader) *input {
	if r != nil && r != io.Reader(os.Stdin) {
		return newInput(r, maxLine)
	}
	std.Lock()
	defer std.Unlock()
	if std.in == nil || std.inFile != os.Stdin {
		std.in, std.inFile = newInput(os.Stdin, maxLine), os.Stdin
	}
	return std.in
}

func outputOf(w io.Writer) *output {
	if w != nil && w != io.Writer(os.Stdout) {
		return newOutput(w)
	}
	std.Lock()
	defer std.Unlock()
	if std.out == nil || std.outFile != os.Stdout {
		std.out, std.outFile = newOutput(os.Stdout), os.Stdout
	}
	return std.out
}
