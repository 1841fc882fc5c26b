package streamer

import (
	"errors"
)

var (
	ErrClosed       = errors.New("closed")
	ErrUnsupported  error // "not supported by this backend"; its Is also matches errors.ErrUnsupported, which alone does not match it
	ErrNotFound     = errors.New("not found")
	ErrExists       = errors.New("exists")
	ErrDenied       = errors.New("denied")
	ErrTooLarge     = errors.New("too large")
	ErrInvalid      = errors.New("invalid")
	ErrBusy         = errors.New("in use by another process") // at open: try later, or somebody is already doing this
	ErrFenced       = errors.New("ownership was lost")        // later: another process took over
	ErrUnknown      = errors.New("outcome unknown")           // the record may or may not be stored
	ErrThrottled    = errors.New("throttled")
	ErrPositionGone = errors.New("position was trimmed away")
)

// Error is every error of this module except context errors and io.EOF: "op backend stream: cause".
type Error struct {
	Op, Backend, Stream string
	Shard               *ShardID
	Kind                error // one of the sentinels, or nil
	Err                 error // the client's own error, or nil
}

func (e *Error) Error() string   { panic(0) }
func (e *Error) Unwrap() []error { panic(0) } // Kind and Err, without nils
