package ndjson

import (
	"fmt"

	"github.com/gostreamer/streamer"
)

// SyntaxError says where and why a line is not in the form.
type SyntaxError struct {
	Offset int // in bytes from the start of the line
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not a message in JSON: at byte %d: %s", e.Offset, e.Reason)
}

// Parse reads one line, with or without its newline. The result shares the
// memory of line where it can. An error is a *SyntaxError.
func Parse(line []byte) (Line, error) {
	var p Parser
	var l Line
	err := p.Parse(line, &l)
	return l, err
}

// Parser reads lines one after another and spreads its allocations over them.
// The zero value is ready; it is not for concurrent use.
type Parser struct {
	bytes   []byte            // decoded text is carved from it and never overwritten
	headers []streamer.Header // likewise
	names   map[string]string // of streams and headers, so that a name that repeats is one string
}

// Parse reads one line into l, which it overwrites. Key, Value and the headers'
// values lie in line or in memory that the Parser does not use again; one of
// these kept keeps its neighbours. An error is a *SyntaxError, and l is then of
// no use.
func (p *Parser) Parse(line []byte, l *Line) error {
	*l = Line{}
	s := scanner{Parser: p, line: line}
	s.message(l)
	if s.err == nil {
		return nil
	}
	return s.err
}

// maxNames bounds what is remembered of a source that never repeats a name.
const maxNames = 4096

// name is b as a string.
func (p *Parser) name(b []byte) string {
	if s, ok := p.names[string(b)]; ok {
		return s
	}
	if p.names == nil || len(p.names) >= maxNames {
		p.names = make(map[string]string)
	}
	s := string(b)
	p.names[s] = s
	return s
}

// room returns an empty slice, not nil, that n bytes can be appended to.
func (p *Parser) room(n int) []byte {
	const arena = 8 << 10
	if p.bytes == nil || cap(p.bytes)-len(p.bytes) < n {
		p.bytes = make([]byte, 0, max(n, arena))
	}
	return p.bytes[len(p.bytes):]
}

// keep takes b, which was grown from room, out of the arena.
func (p *Parser) keep(b []byte) []byte {
	p.bytes = p.bytes[:len(p.bytes)+len(b)]
	return b[:len(b):len(b)]
}
