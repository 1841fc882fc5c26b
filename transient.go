package streamer

import (
	"errors"
	"time"
)

// Transient marks an error of Fetch, CommitCursors, AckMessages or Write as worth retrying, not before after. For Write it says that none of
// the records that are not resolved is stored. Nil stays nil.
func Transient(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &transientError{err: err, after: after}
}

// transientError reads like the error it marks.
type transientError struct {
	err   error
	after time.Duration
}

func (t *transientError) Error() string { return t.err.Error() }
func (t *transientError) Unwrap() error { return t.err }

// transient says whether err is worth retrying, and how long to wait at least.
func transient(err error) (after time.Duration, ok bool) {
	t, ok := errors.AsType[*transientError](err)
	if !ok {
		return 0, false
	}
	return t.after, true
}
