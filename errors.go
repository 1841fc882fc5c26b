package streamer

import (
	"errors"
	"strings"
)

// The kinds of errors: what errors.Is finds in the errors of this module. A
// kind says what went wrong; *Error says where.
var (
	// ErrClosed is returned by a closed Streamer, Producer or Consumer.
	ErrClosed = errors.New("closed")
	// ErrUnsupported is returned by a call that the backend cannot carry out.
	// It matches errors.ErrUnsupported too; the reverse is not true.
	ErrUnsupported error = unsupportedError{}
	// ErrNotFound is a stream, shard, group or log that does not exist. Create
	// says when a missing stream is created.
	ErrNotFound = errors.New("not found")
	// ErrExists is a stream that exists and must not: Admin.Create, CreateNew.
	ErrExists = errors.New("exists")
	// ErrDenied is a credential that is wrong or does not permit the operation.
	ErrDenied = errors.New("denied")
	// ErrTooLarge is a record beyond a limit. Records sent with it are not
	// affected.
	ErrTooLarge = errors.New("too large")
	// ErrInvalid is an argument, option, name or URI that cannot be right. The
	// message says what would be.
	ErrInvalid = errors.New("invalid")
	// ErrBusy is a group, log or shard that another process holds.
	ErrBusy = errors.New("in use by another process")
	// ErrFenced is a group, log or shard that another process took over.
	ErrFenced = errors.New("ownership was lost")
	// ErrUnknown is a record that may or may not be stored.
	ErrUnknown = errors.New("outcome unknown")
	// ErrThrottled is a limit of the service, or a state in which it refuses
	// requests, that waiting did not overcome.
	ErrThrottled = errors.New("throttled")
	// ErrPositionGone is a position that does not exist, or no longer does,
	// where AutoReset is ResetError.
	ErrPositionGone = errors.New("position was trimmed away")
)

type unsupportedError struct{}

func (unsupportedError) Error() string { return "not supported by this backend" }

func (unsupportedError) Is(target error) bool { return target == errors.ErrUnsupported }

// Error is every error of this module except io.EOF and the end of the caller's
// context. It reads "op backend stream: cause". errors.Is finds its Kind and
// the errors of the backend's client. It is read-only.
type Error struct {
	Op, Backend, Stream string   // "" where it is not known
	Shard               *ShardID // nil where it is not about one shard
	Kind                error    // one of the kinds above, or nil
	Err                 error    // the client's own error, or nil
}

// Error is one line: what is known of "op backend stream shard n", then the
// cause.
func (e *Error) Error() string {
	where := e.where()
	cause := strings.ReplaceAll(e.cause(), "\n", "; ") // of joined errors
	switch {
	case where == "":
		return cause
	case cause == "":
		return where
	}
	return where + ": " + cause
}

func (e *Error) where() string {
	var words []string
	for _, w := range [...]string{e.Op, e.Backend, e.Stream} {
		if w != "" {
			words = append(words, w)
		}
	}
	if e.Shard != nil {
		words = append(words, "shard "+e.Shard.String())
	}
	return strings.Join(words, " ")
}

// cause leaves out Kind where Err contains its text: no "not found: topic not
// found".
func (e *Error) cause() string {
	switch {
	case e.Kind == nil && e.Err == nil:
		return ""
	case e.Err == nil:
		return e.Kind.Error()
	case e.Kind == nil:
		return e.Err.Error()
	}
	kind, text := e.Kind.Error(), e.Err.Error()
	if strings.Contains(text, kind) {
		return text
	}
	return kind + ": " + text
}

// Unwrap returns Kind and Err, without nils.
func (e *Error) Unwrap() []error {
	errs := make([]error, 0, 2)
	for _, err := range [...]error{e.Kind, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// KindOf returns the kind of err, one of the kinds above, or nil. The Kind of
// an *Error inside err wins over what its Err may match as well.
func KindOf(err error) error {
	if err == nil {
		return nil
	}
	if inner, ok := errors.AsType[*Error](err); ok && inner.Kind != nil {
		return inner.Kind
	}
	for _, kind := range [...]error{
		ErrClosed, ErrUnsupported, ErrNotFound, ErrExists, ErrDenied, ErrTooLarge, ErrInvalid, ErrBusy, ErrFenced, ErrUnknown,
		ErrThrottled, ErrPositionGone,
	} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return nil
}
