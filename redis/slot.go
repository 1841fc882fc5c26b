package redis

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/gostreamer/streamer"
)

// The fields of an entry. msg is SeaStreamer's; the order is always this one, which the server packs best.
const (
	fieldValue   = "msg"
	fieldKey     = "k"
	fieldHeaders = "h"
)

// bytesArg is a command's argument. A pointer to it can be in the command before its bytes are known, and costs no allocation.
type bytesArg []byte

// MarshalBinary implements encoding.BinaryMarshaler for go-redis, which copies.
func (b *bytesArg) MarshalBinary() ([]byte, error) { return *b, nil }

// Which optional fields an entry has.
const (
	withKey = 1 << iota
	withHeaders
	shapes
)

// slot is the XADD of one record. Its commands are used again and again, always for the same key, because go-redis keeps in a command where in a
// cluster it goes. They are never sent twice for one record: ZeroCopyStringCmd is one of the commands that go-redis never retries.
type slot struct {
	target     *target
	noMkStream bool
	id         bytesArg
	value, key bytesArg
	headers    bytesArg
	packed     []byte // what headers is built in
	idText     [maxIDLen + 2]byte
	reply      [maxIDLen + 2]byte
	cmd        *redis.ZeroCopyStringCmd // the one in use
	cmds       [shapes]*redis.ZeroCopyStringCmd

	at     id // the outcome: where it is stored
	err    error
	passed bool // a later record of the shard is stored
}

func newSlot(t *target, noMkStream bool) *slot { return &slot{target: t, noMkStream: noMkStream} }

var anyID = bytesArg("*")

// load makes the command that stores r. r's payload is used until unload.
func (s *slot) load(r *streamer.Record, senderTime bool) redis.Cmder {
	shape := 0
	s.value = r.Value
	if r.Key != nil {
		shape |= withKey
		s.key = r.Key
	}
	if len(r.Headers) > 0 {
		shape |= withHeaders
		s.packed = appendHeaders(s.packed[:0], r.Headers)
		s.headers = s.packed
	}
	s.id = anyID
	if senderTime && !r.Time.IsZero() {
		s.id = append(strconv.AppendInt(s.idText[:0], r.Time.UnixMilli(), 10), "-*"...)
	}
	if s.cmds[shape] == nil {
		s.cmds[shape] = redis.NewZeroCopyStringCmd(context.Background(), s.reply[:], s.arguments(shape)...)
	}
	s.cmd = s.cmds[shape]
	s.cmd.SetErr(nil)
	s.cmd.SetVal(0)
	return s.cmd
}

func (s *slot) arguments(shape int) []any {
	args := []any{"xadd", s.target.key}
	if s.noMkStream {
		args = append(args, "nomkstream")
	}
	args = append(args, &s.id, fieldValue, &s.value)
	if shape&withKey != 0 {
		args = append(args, fieldKey, &s.key)
	}
	if shape&withHeaders != 0 {
		args = append(args, fieldHeaders, &s.headers)
	}
	return args
}

// outcome is the id under which the record is stored; failed is why, where the command was not answered and does not say so.
func (s *slot) outcome(failed error) (id, error) {
	n, err := s.cmd.Result()
	if err != nil {
		return id{}, err
	}
	i, ok := parseID(s.reply[:n])
	if !ok {
		return id{}, failed
	}
	return i, nil
}

// keptHeaders is how much room for packed headers a slot keeps.
const keptHeaders = 4 << 10

// unload lets go of the record.
func (s *slot) unload() {
	s.value, s.key, s.headers, s.passed = nil, nil, nil, false
	if cap(s.packed) > keptHeaders {
		s.packed = nil
	}
}
