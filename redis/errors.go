package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/redis/go-redis/v9"
)

// replyError is an error that the server answered in a reply that we read
// ourselves.
type replyError string

func (e replyError) Error() string { return string(e) }

// RedisError implements redis.Error.
func (replyError) RedisError() {}

// errMalformed is a reply that is not what the command answers.
var errMalformed = errors.New("malformed reply")

// code is the first word of an error that the server answered, or, for a
// transaction that was refused when it was to be carried out, of the reason; ""
// for another error.
func code(err error) string {
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[redis.Error](err)
	if !ok {
		return ""
	}
	text := e.Error()
	if _, reason, ok := strings.Cut(text, "Transaction discarded because of: "); ok {
		text = reason
	}
	word, _, _ := strings.Cut(text, " ")
	return word
}

// said says whether the server answered an error with these words.
func said(err error, words string) bool {
	return code(err) != "" && strings.Contains(err.Error(), words)
}

// isLost says that the connection failed: whether the command was done is not
// known.
func isLost(err error) bool {
	if _, ours := errors.AsType[*streamer.Error](err); ours || err == nil {
		return false // what we found out ourselves, on a connection that worked
	}
	return code(err) == "" && !errors.Is(err, redis.Nil) && !errors.Is(err, redis.ErrClosed) && !isUnsent(err)
}

// isUnsent says that the command never left: the server could not be reached.
func isUnsent(err error) bool {
	return errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrPoolExhausted) || isDial(err)
}

// passes says that the server refused the command, did nothing, and may take it
// soon.
func passes(err error) bool {
	switch code(err) {
	case "MOVED", "ASK":
		return true
	}
	return isState(err)
}

// isState says that the server refused the command because of the state that it
// is in, which ends without the program's doing.
func isState(err error) bool {
	switch code(err) {
	case "LOADING", "BUSY", "MISCONF", "OOM", "READONLY", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN":
		return true
	case "UNBLOCKED":
		return !isGone(err)
	}
	return said(err, "max number of clients")
}

// isGone says that the stream or the group that a read waited for is not there
// any more.
func isGone(err error) bool {
	return code(err) == "NOGROUP" || said(err, "stream key no longer exists") || said(err, "consumer group this client was blocked on no longer exists")
}

func isMissingKey(err error) bool { return said(err, "no such key") }

// isNotPermitted says that this user may not use the command, which is no
// reason to fail where there is another way.
func isNotPermitted(err error) bool {
	return code(err) == "NOPERM" || said(err, "unknown command")
}

// translate gives an error its kind, and says what to do. Context errors stay
// bare.
func translate(err error) error {
	kind := kindOf(err)
	if kind == nil || errors.Is(err, kind) {
		return err
	}
	return &streamer.Error{Kind: kind, Err: advised(err)}
}

func kindOf(err error) error {
	switch code(err) {
	case "NOAUTH", "WRONGPASS", "NOPERM":
		return streamer.ErrDenied
	case "WRONGTYPE", "MOVED", "ASK":
		return streamer.ErrInvalid
	case "BUSYGROUP":
		return streamer.ErrExists
	case "NOGROUP":
		return streamer.ErrNotFound
	}
	switch {
	case errors.Is(err, redis.ErrClosed):
		return streamer.ErrClosed
	case isMissingKey(err), isNoSocket(err):
		return streamer.ErrNotFound
	case said(err, "invalid bulk length"), said(err, "too large to be stored"):
		return streamer.ErrTooLarge
	case isMisplaced(err):
		return streamer.ErrInvalid
	case said(err, "unknown command"), said(err, "syntax error"):
		return streamer.ErrUnsupported
	case said(err, "invalid password"), said(err, "without any password configured"), said(err, "DENIED"), isClosedSocket(err):
		return streamer.ErrDenied
	case isState(err):
		return streamer.ErrThrottled
	}
	return nil
}

// bare returns the error of a ctx that has ended in place of what it caused.
func bare(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return translate(err)
}

func notFound(stream string) error {
	return &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound}
}

// What to do about a stream that is not there, or is.
var (
	errNoStreamToRead = errors.New("a consumer makes no stream: a producer does with its first record, and so does Admin.Create; or connect with create=always")
	errStreamDeleted  = errors.New("the stream was deleted: with create=always its consumers wait for it to come back")
	errCreateNever    = errors.New("create=never: create it with Admin.Create, or leave that option out")
	errCreateNew      = errors.New("create=new makes a stream that does not exist: name another, or leave that option out")
)

func missing(stream string, hint error) error {
	return &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound, Err: hint}
}

func about(at streamer.StreamShard, kind error, format string, args ...any) error {
	return &streamer.Error{Stream: at.Stream, Shard: &at.Shard, Kind: kind, Err: fmt.Errorf(format, args...)}
}
