package redis

import (
	"bufio"
	"context"
	"strconv"

	"github.com/gostreamer/streamer"
	"github.com/redis/go-redis/v9"
)

// The fields of an entry. msg is SeaStreamer's; the order is always this one,
// which the server packs best.
const (
	fieldValue   = "msg"
	fieldKey     = "k"
	fieldHeaders = "h"
)

// bytesArg is a command's argument. A pointer to it can be in the command
// before its bytes are known, and costs no allocation.
type bytesArg []byte

// MarshalBinary implements encoding.BinaryMarshaler for go-redis, which copies.
func (b *bytesArg) MarshalBinary() ([]byte, error) { return *b, nil }

// Which optional fields an entry has.
const (
	withKey = 1 << iota
	withHeaders
	shapes
)

// slot is the XADD of one record. Its go-redis commands are used again and
// again, always for the same key, because go-redis keeps in a command where in
// a cluster it goes. They are never sent twice for one record:
// ZeroCopyStringCmd is one of the commands that go-redis never retries.
type slot struct {
	target     *target
	noMkStream bool
	shape      int
	id         bytesArg
	value, key bytesArg
	headers    bytesArg
	packed     []byte // what headers is built in
	idText     [maxIDLen + 2]byte
	reply      [maxIDLen + 2]byte
	cmds       [shapes]*redis.ZeroCopyStringCmd

	at     id // the outcome: where it is stored
	err    error
	passed bool // a later record of the shard is stored
}

func newSlot(t *target, noMkStream bool) *slot { return &slot{target: t, noMkStream: noMkStream} }

var anyID = bytesArg("*")

// load makes the slot that of r, whose payload is used until unload.
func (s *slot) load(r *streamer.Record, senderTime bool) {
	s.shape = 0
	s.value = r.Value
	if r.Key != nil {
		s.shape |= withKey
		s.key = r.Key
	}
	if len(r.Headers) > 0 {
		s.shape |= withHeaders
		s.packed = appendHeaders(s.packed[:0], r.Headers)
		s.headers = s.packed
	}
	s.id = anyID
	if senderTime && !r.Time.IsZero() {
		s.id = append(strconv.AppendInt(s.idText[:0], r.Time.UnixMilli(), 10), "-*"...)
	}
}

// command is the slot's for go-redis.
func (s *slot) command() *redis.ZeroCopyStringCmd {
	if s.cmds[s.shape] == nil {
		s.cmds[s.shape] = redis.NewZeroCopyStringCmd(context.Background(), s.reply[:], s.arguments()...)
	}
	cmd := s.cmds[s.shape]
	cmd.SetErr(nil)
	cmd.SetVal(0)
	return cmd
}

func (s *slot) arguments() []any {
	args := []any{"xadd", s.target.key}
	if s.noMkStream {
		args = append(args, "nomkstream")
	}
	args = append(args, &s.id, fieldValue, &s.value)
	if s.shape&withKey != 0 {
		args = append(args, fieldKey, &s.key)
	}
	if s.shape&withHeaders != 0 {
		args = append(args, fieldHeaders, &s.headers)
	}
	return args
}

// result is what go-redis has read; failed is why, where the command was not
// answered and does not say so.
func (s *slot) result(failed error) ([]byte, error) {
	n, err := s.cmds[s.shape].Result()
	if err == nil && n == 0 {
		err = failed
	}
	return s.reply[:n], err
}

// meta is where the record is stored.
func (s *slot) meta() streamer.Meta {
	return streamer.Meta{Stream: s.target.at.Stream, Shard: s.target.at.Shard, Seq: s.at.seqNo(), Time: s.at.time()}
}

// outcome notes what became of the record: an id, or why there is none.
func (s *slot) outcome(text []byte, err error) {
	s.at, s.err = id{}, err
	if err != nil {
		return
	}
	at, ok := parseID(text)
	if !ok {
		err = errMalformed
	}
	s.at, s.err = at, err
}

// write writes the command in RESP.
func (s *slot) write(to *bufio.Writer) {
	chosen := len(s.id) > 1
	_, _ = to.Write(s.target.head(s.shape, s.noMkStream, chosen)) // to keeps the error
	if chosen {
		writeText(to, s.id)
		writeWord(to, fieldValue)
	}
	writeText(to, s.value)
	if s.shape&withKey != 0 {
		writeField(to, fieldKey, s.key)
	}
	if s.shape&withHeaders != 0 {
		writeField(to, fieldHeaders, s.headers)
	}
}

func writeField(to *bufio.Writer, name string, value []byte) {
	writeWord(to, name)
	writeText(to, value)
}

// keptHeaders is how much room for packed headers a slot keeps.
const keptHeaders = 4 << 10

// unload releases the record.
func (s *slot) unload() {
	s.value, s.key, s.headers, s.passed = nil, nil, nil, false
	if cap(s.packed) > keptHeaders {
		s.packed = nil
	}
}
