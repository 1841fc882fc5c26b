package streamer

import (
	"errors"
	"strings"
)

// The sentinels: what errors.Is finds in the errors of this module. Each says what went wrong, not where; *Error says where.
var (
	// ErrClosed is what a closed Streamer, Producer or Consumer answers.
	ErrClosed = errors.New("closed")
	// ErrUnsupported is what the backend cannot do, from the call that asks for it. It is also errors.ErrUnsupported, which alone is not it.
	ErrUnsupported error = unsupportedError{}
	// ErrNotFound is a stream, shard, group or log that does not exist. Create says when a missing stream is made.
	ErrNotFound = errors.New("not found")
	// ErrExists is what must not exist and does: Admin.Create, CreateNew.
	ErrExists = errors.New("exists")
	// ErrDenied is a credential that is wrong or does not permit the operation.
	ErrDenied = errors.New("denied")
	// ErrTooLarge is a record beyond a limit; its neighbours are not touched.
	ErrTooLarge = errors.New("too large")
	// ErrInvalid is an argument, option, name or URI that cannot be right. The message says what would be.
	ErrInvalid = errors.New("invalid")
	// ErrBusy is what another process holds, at open: try later, or somebody is already doing this.
	ErrBusy = errors.New("in use by another process")
	// ErrFenced is what was held and another process took over.
	ErrFenced = errors.New("ownership was lost")
	// ErrUnknown is a record that may or may not be stored.
	ErrUnknown = errors.New("outcome unknown")
	// ErrThrottled is a limit of the service, or a state in which it refuses,
	// that waiting did not overcome.
	ErrThrottled = errors.New("throttled")
	// ErrPositionGone is a position that does not exist (any more) where AutoReset is ResetError.
	ErrPositionGone = errors.New("position was trimmed away")
)

type unsupportedError struct{}

func (unsupportedError) Error() string { return "not supported by this backend" }

func (unsupportedError) Is(target error) bool { return target == errors.ErrUnsupported }

// Error is every error of this module except the end of a context that the caller gave, and io.EOF: "op backend stream: cause". Use errors.Is for its Kind and for the
// client's own errors, errors.As for the fields. It is read-only.
type Error struct {
	Op, Backend, Stream string   // "" where it is not known
	Shard               *ShardID // nil where it is not about one shard
	Kind                error    // one of the sentinels, or nil
	Err                 error    // the client's own error, or nil
}

// Error is one line: what is known of "op backend stream shard n", then the cause.
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

// cause leaves out Kind where Err says it already: no "not found: topic not found".
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

// Unwrap is Kind and Err, without nils.
func (e *Error) Unwrap() []error {
	errs := make([]error, 0, 2)
	for _, err := range [...]error{e.Kind, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// KindOf is the sentinel that err is, or nil. What an *Error inside calls its Kind
// wins over what its Err may be as well.
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
