package ndjson

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// scanner reads the tokens of one line. The first error sticks, ends every loop
// and makes what follows of no use.
type scanner struct {
	*Parser
	line []byte
	at   int
	err  *SyntaxError
}

func (s *scanner) fail(reason string) {
	if s.err == nil {
		s.err = &SyntaxError{Offset: s.at, Reason: reason}
	}
}

// space skips white space.
func (s *scanner) space() {
	for s.at < len(s.line) {
		switch s.line[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// peek is the first byte of the next token; 0 at the end of the line.
func (s *scanner) peek() byte {
	s.space()
	if s.at == len(s.line) {
		return 0
	}
	return s.line[s.at]
}

// take skips c, if that is what comes next.
func (s *scanner) take(c byte) bool {
	if s.err != nil || s.peek() != c {
		return false
	}
	s.at++
	return true
}

func (s *scanner) expect(c byte) {
	if !s.take(c) {
		s.fail(fmt.Sprintf("no %q", c))
	}
}

// object reads an object. member reads the value behind one name and says which
// member it was, 0 for none that may be there.
func (s *scanner) object(member func(name []byte) members) members {
	var met members
	s.list('{', '}', func() {
		from := s.at
		name := s.text()
		s.expect(':')
		if s.err != nil {
			return
		}
		m := member(name)
		switch {
		case m == 0:
			s.at = from
			s.fail(fmt.Sprintf("unknown member %.40q", name))
		case met&m != 0:
			s.at = from
			s.fail(fmt.Sprintf("a second %.40q", name))
		}
		met |= m
	})
	return met
}

func (s *scanner) array(element func()) { s.list('[', ']', element) }

// list reads elements, separated by commas, between two brackets.
func (s *scanner) list(open, end byte, element func()) {
	s.expect(open)
	if s.take(end) {
		return
	}
	for s.err == nil {
		element()
		if !s.take(',') {
			s.expect(end)
			return
		}
	}
}

// textOrNull reads a string, which is not nil even when it is empty, or null,
// which is.
func (s *scanner) textOrNull() []byte {
	if s.peek() == 'n' && bytes.HasPrefix(s.line[s.at:], []byte("null")) {
		s.at += len("null")
		return nil
	}
	return s.text()
}

// text reads a string: the line's own bytes when nothing in it is escaped.
func (s *scanner) text() []byte {
	s.expect('"')
	if s.err != nil {
		return nil
	}
	from, escaped := s.at, false
	for s.at < len(s.line) {
		c := s.line[s.at]
		switch {
		case plain[c]:
			s.at++
		case c == '"':
			return s.content(from, escaped)
		case c == '\\':
			escaped = true
			s.at += 2
		default:
			s.fail("a control character in a string")
			return nil
		}
	}
	s.at = len(s.line)
	s.fail("a string without end")
	return nil
}

// content is the string from from to the quote that s stands at, which it
// skips.
func (s *scanner) content(from int, escaped bool) []byte {
	raw := s.line[from:s.at]
	s.at++
	if !utf8.Valid(raw) {
		s.fail("a string that is not UTF-8")
		return nil
	}
	if !escaped {
		return raw[:len(raw):len(raw)]
	}
	return s.unescaped(raw)
}

func (s *scanner) unescaped(raw []byte) []byte {
	dst := s.room(len(raw)) // an escape is never shorter than what it means
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return s.keep(append(dst, raw...))
		}
		dst = append(dst, raw[:i]...)
		var n int
		if dst, n = unescape(dst, raw[i+1:]); n == 0 {
			s.fail("no escape, or half a surrogate pair")
			return nil
		}
		raw = raw[i+1+n:]
	}
}
