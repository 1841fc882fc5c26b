package redis

import (
	"cmp"

	"github.com/redis/go-redis/v9"
)

// scanner walks over a whole reply, in RESP2 or RESP3. Whatever the bytes are,
// it stays inside them and allocates nothing by what they announce.
type scanner struct {
	b   []byte
	pos int
}

// entry is one of a reply. Its slices are parts of the reply.
type entry struct {
	at                  id
	gone                bool // deleted: pending without a body
	value, key, headers []byte
	has                 fieldSet
}

// fieldSet says which of our fields an entry has.
type fieldSet uint8

const (
	hasValue fieldSet = 1 << iota
	hasKey
	hasHeaders
)

// scanStreams reads what XREAD and XREADGROUP answer. page gets each
// stream, with how many entries it seems to have, then entry of each.
func scanStreams(b []byte, page func(key []byte, n int) error, each func(*entry) error) error {
	s := scanner{b: b}
	if err := s.serverError(); err != nil {
		return err
	}
	kind := s.peek()
	n, null, err := s.list()
	if err != nil || null {
		return err
	}
	if kind == '%' {
		n /= 2
	}
	for range n {
		if kind != '%' {
			if err := s.expect(2); err != nil {
				return err
			}
		}
		key, null, err := s.bulk()
		if err != nil || null {
			return malformed(err)
		}
		if err := s.entries(key, page, each); err != nil {
			return err
		}
	}
	return s.end()
}

// scanClaim reads what XAUTOCLAIM answers: where to continue, entries, and,
// from 7.0 on, the ids of those that were deleted.
func scanClaim(b []byte, page func(key []byte, n int) error, each func(*entry) error, deleted func(id)) (next id, err error) {
	s := scanner{b: b}
	if err := s.serverError(); err != nil {
		return id{}, err
	}
	parts, null, err := s.list()
	if err != nil || null || parts < 2 || parts > 3 {
		return id{}, malformed(err)
	}
	if next, err = s.id(); err != nil {
		return id{}, err
	}
	if err := s.entries(nil, page, each); err != nil {
		return id{}, err
	}
	if parts == 3 {
		n, _, err := s.list()
		if err != nil {
			return id{}, err
		}
		for range n {
			i, err := s.id()
			if err != nil {
				return id{}, err
			}
			deleted(i)
		}
	}
	return next, s.end()
}

func malformed(err error) error {
	if err != nil {
		return err
	}
	return errMalformed
}

// serverError is the error that the reply is.
func (s *scanner) serverError() error {
	switch s.peek() {
	case '-':
		from := s.pos
		if _, err := s.head(); err != nil {
			return err
		}
		return replyError(s.b[from+1 : s.pos-2])
	case '!':
		text, _, err := s.bulk()
		if err != nil {
			return err
		}
		return replyError(text)
	}
	return nil
}

// entries reads a list of them. A nil entry, which 6.2 answers for a deleted
// one, is skipped.
func (s *scanner) entries(key []byte, page func([]byte, int) error, each func(*entry) error) error {
	n, null, err := s.list()
	if err != nil || null {
		return err
	}
	if err := page(key, min(n, len(s.b)/leastEntry)); err != nil {
		return err
	}
	return s.some(n, each)
}

// some reads the next n entries of a list.
func (s *scanner) some(n int, each func(*entry) error) error {
	e := new(entry) // one for all, because each lets it escape
	for range n {
		*e = entry{}
		if ok, err := s.entry(e); err != nil {
			return err
		} else if !ok {
			continue
		}
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

// leastEntry is the length of the shortest entry in a reply.
const leastEntry = len("*2\r\n$3\r\n0-1\r\n*-1\r\n")

func (s *scanner) entry(e *entry) (ok bool, err error) {
	n, null, err := s.list()
	if err != nil || null {
		return false, err
	}
	if n < 2 {
		return false, errMalformed
	}
	if e.at, err = s.id(); err != nil {
		return false, err
	}
	fields, null, err := s.list()
	if err != nil {
		return false, err
	}
	e.gone = null
	if fields%2 != 0 {
		return false, errMalformed
	}
	for range fields / 2 {
		if err := s.field(e); err != nil {
			return false, err
		}
	}
	return true, s.skip(n - 2)
}

// field reads one. Of several with one name the first counts.
func (s *scanner) field(e *entry) error {
	name, _, err := s.bulk()
	if err != nil {
		return err
	}
	text, _, err := s.bulk()
	if err != nil {
		return err
	}
	switch {
	case string(name) == fieldValue && e.has&hasValue == 0:
		e.value, e.has = text, e.has|hasValue
	case string(name) == fieldKey && e.has&hasKey == 0:
		e.key, e.has = text, e.has|hasKey
	case string(name) == fieldHeaders && e.has&hasHeaders == 0:
		e.headers, e.has = text, e.has|hasHeaders
	}
	return nil
}

func (s *scanner) peek() byte {
	if s.pos >= len(s.b) {
		return 0
	}
	return s.b[s.pos]
}

// head reads the next one.
func (s *scanner) head() (head, error) {
	h, err := readHead(s.b[s.pos:])
	if err != nil || h.size == 0 {
		return head{}, errMalformed
	}
	s.pos += h.size
	return h, nil
}

// list reads the head of a list, set, push or map; a map counts keys and
// values.
func (s *scanner) list() (n int, null bool, err error) {
	h, err := s.head()
	if err != nil {
		return 0, false, err
	}
	switch h.kind {
	case '*', '~', '>', '%':
	case '_', '$':
		if h.n >= 0 {
			return 0, false, errMalformed
		}
	default:
		return 0, false, errMalformed
	}
	if h.n > len(s.b) {
		return 0, false, errMalformed
	}
	return h.values(), h.n < 0, nil
}

func (s *scanner) expect(n int) error {
	m, null, err := s.list()
	if err != nil || null || m != n {
		return malformed(err)
	}
	return nil
}

// bulk reads a text.
func (s *scanner) bulk() (b []byte, null bool, err error) {
	h, err := s.head()
	if err != nil {
		return nil, false, err
	}
	switch {
	case h.n < 0 && (h.kind == '_' || h.kind == '$'):
		return nil, true, nil
	case h.kind == '+':
		return s.b[s.pos-h.size+1 : s.pos-2], false, nil
	case h.kind != '$' && h.kind != '!', h.n > len(s.b)-s.pos-2:
		return nil, false, errMalformed
	}
	from, to := s.pos, s.pos+h.n
	if s.b[to] != '\r' || s.b[to+1] != '\n' {
		return nil, false, errMalformed
	}
	s.pos = to + 2
	return s.b[from:to:to], false, nil
}

// answer reads the answer to one command of several: a text, or what it says in
// its place; failed where there is none any more.
func (s *scanner) answer(failed error) ([]byte, error) {
	h, err := readHead(s.b[s.pos:])
	if err != nil || h.size == 0 {
		return nil, cmp.Or(failed, errMalformed)
	}
	if line := s.b[s.pos+1 : s.pos+h.size-2]; h.kind != '$' && h.kind != '!' {
		s.pos += h.size
		if h.kind == '-' {
			return nil, replyError(line)
		}
		return line, nil
	}
	text, null, err := s.bulk()
	switch {
	case err != nil:
		s.pos = len(s.b) // there is no other behind a part of one
		return nil, cmp.Or(failed, err)
	case null:
		return nil, redis.Nil
	case h.kind == '!':
		return nil, replyError(text)
	}
	return text, nil
}

func (s *scanner) id() (id, error) {
	b, _, err := s.bulk()
	if err != nil {
		return id{}, err
	}
	i, ok := parseID(b)
	if !ok {
		return id{}, errMalformed
	}
	return i, nil
}

// skip skips n values, whatever they are.
func (s *scanner) skip(n int) error {
	for ; n > 0; n-- {
		switch s.peek() {
		case '*', '~', '>', '%':
			more, _, err := s.list()
			if err != nil {
				return err
			}
			n += more
		case '$', '!':
			if _, _, err := s.bulk(); err != nil {
				return err
			}
		default:
			if _, err := s.head(); err != nil {
				return err
			}
		}
	}
	return nil
}

// end says that there is nothing behind the reply.
func (s *scanner) end() error {
	if s.pos != len(s.b) {
		return errMalformed
	}
	return nil
}
