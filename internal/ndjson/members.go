package ndjson

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/gostreamer/streamer"
)

// A set of members that were met; the two spellings of one share a bit.
type members uint8

const (
	memberStream members = 1 << iota
	memberShard
	memberSeq
	memberTime
	memberKey
	memberHeaders
	memberValue
)

// message reads the whole line.
func (s *scanner) message(l *Line) {
	met := s.object(func(name []byte) members { return s.member(l, name) })
	s.space()
	switch {
	case s.err != nil:
	case s.at < len(s.line):
		s.fail("something after the object")
	case met&memberValue == 0:
		s.fail("no value")
	}
}

// member reads one member of a message and says which it was; 0 for one that a
// message does not have.
func (s *scanner) member(l *Line, name []byte) members {
	switch string(name) {
	case "stream":
		l.Stream = s.name(s.text())
		return memberStream
	case "stream_base64":
		l.Stream = s.name(s.base64())
		return memberStream
	case "shard":
		l.Shard, l.HasShard = s.shard(), true
		return memberShard
	case "seq":
		l.Seq = s.seq()
		return memberSeq
	case "time":
		l.Time = s.time()
		return memberTime
	case "headers":
		l.Headers = s.headerList()
		return memberHeaders
	}
	return s.pair(&l.Key, &l.Value, name)
}

// pair reads what messages and headers have in common.
func (s *scanner) pair(key, value *[]byte, name []byte) members {
	switch string(name) {
	case "key":
		*key = s.textOrNull()
		return memberKey
	case "key_base64":
		*key = s.base64()
		return memberKey
	case "value":
		*value = s.textOrNull()
		return memberValue
	case "value_base64":
		*value = s.base64()
		return memberValue
	}
	return 0
}

// headerList reads an array of headers; nil when it is empty.
func (s *scanner) headerList() []streamer.Header {
	from := len(s.headers)
	s.array(func() {
		var key, value []byte
		met := s.object(func(name []byte) members { return s.pair(&key, &value, name) })
		if met&memberKey == 0 || key == nil {
			s.fail("a header without key")
			return
		}
		s.headers, from = appendHeader(s.headers, from, streamer.Header{Key: s.name(key), Value: value})
	})
	if len(s.headers) == from {
		return nil
	}
	return s.headers[from:len(s.headers):len(s.headers)]
}

// appendHeader appends h to the list that begins at from. When the arena is
// full the list moves to a new one, so that lists that were given out stay as
// they are and only one list is ever copied.
func appendHeader(arena []streamer.Header, from int, h streamer.Header) ([]streamer.Header, int) {
	const size = 64
	if len(arena) == cap(arena) {
		list := arena[from:]
		arena = append(make([]streamer.Header, 0, max(size, 2*len(list))), list...)
		from = 0
	}
	return append(arena, h), from
}

func (s *scanner) shard() streamer.ShardID {
	if s.peek() != '"' {
		return streamer.ShardID(s.number())
	}
	shard, err := streamer.ParseShardID(string(s.text()))
	if s.err == nil && (err != nil || shard.AppendJSON(nil)[0] != '"') {
		s.fail("no number: a shard is a string above 2^53-1 alone")
	}
	return shard
}

func (s *scanner) seq() streamer.SeqNo {
	if s.peek() != '"' {
		return streamer.SeqUint(s.number())
	}
	text := s.text()
	if n, ok := canonical(text); ok {
		return streamer.SeqUint(n)
	}
	seq, err := streamer.ParseSeqNo(string(text))
	if s.err == nil && (err != nil || seq.IsZero()) {
		s.fail("seq is no sequence number")
	}
	return seq
}

func (s *scanner) time() time.Time {
	var t time.Time
	if err := t.UnmarshalText(s.text()); s.err == nil && (err != nil || !HasTime(t)) {
		s.fail("time is not RFC 3339")
	}
	return t.UTC()
}

func (s *scanner) base64() []byte {
	text := s.text()
	dst := s.room(base64.StdEncoding.DecodedLen(len(text)))
	dst, err := base64.StdEncoding.Strict().AppendDecode(dst, text)
	if s.err == nil && err != nil {
		s.fail("no base64")
	}
	return s.keep(dst)
}

// number reads an integer without sign, fraction or exponent.
func (s *scanner) number() uint64 {
	s.space()
	from := s.at
	for s.at < len(s.line) && '0' <= s.line[s.at] && s.line[s.at] <= '9' {
		s.at++
	}
	n, ok := canonical(s.line[from:s.at])
	if !ok {
		s.fail("no number from 0 to 18446744073709551615")
	}
	return n
}

// canonical is the number that digits spell without sign or leading zeros.
func canonical(digits []byte) (n uint64, ok bool) {
	if len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(digits), 10, 64)
	return n, err == nil
}
