package driver

import "time"

// TransientError marks the error of a call of a Source or a Writer as worth
// retrying. It reads like the error that it marks.
type TransientError struct {
	Err   error
	After time.Duration // the least to wait before the next try
}

// Transient marks an error of Fetch, CommitCursors, AckMessages or Write as
// worth retrying, not before after. For Write it says that none of the records
// that are not resolved is stored. Nil stays nil.
func Transient(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &TransientError{Err: err, After: after}
}

func (t *TransientError) Error() string { return t.Err.Error() }

// Unwrap is the error that is marked.
func (t *TransientError) Unwrap() error { return t.Err }
