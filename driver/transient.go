package driver

import "time"

// TransientError marks the error of a call of a Source or a Writer as worth
// retrying. It reads like the error that it marks.
type TransientError struct {
	Err   error
	After time.Duration // the shortest wait before the next try
}

// Transient marks an error of Fetch, CommitCursors, AckMessages or Write as
// worth retrying, but not before after has passed. From Write it also says that
// none of the unresolved records is stored. Transient of nil is nil.
func Transient(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &TransientError{Err: err, After: after}
}

// Error is the text of the error that is marked.
func (t *TransientError) Error() string { return t.Err.Error() }

// Unwrap returns the error that is marked.
func (t *TransientError) Unwrap() error { return t.Err }
