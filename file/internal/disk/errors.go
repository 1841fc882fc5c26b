// Package disk is what package file needs of the file system: files and
// directories that are opened with care, the kernel's locks, and errors with
// the kind that a program expects.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// The errors that package file exports under the same names.
var (
	// ErrFull: the disk, a quota or the log's own limit has no room.
	ErrFull = errors.New("no room in the log")
	// ErrDead: an fsync failed.
	ErrDead = errors.New("an fsync failed and the log is dead until a producer opens it again")
	// ErrDescriptors: the process or the system has no file descriptor left.
	ErrDescriptors = errors.New("no file descriptor is left (raise the limit, `ulimit -n`, or close something)")
)

// Translate gives an error of the file system the kind that a streamer.Error
// has. Other errors stay as they are.
func Translate(err error) error {
	var kind error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrDescriptors):
		return err
	case IsExhausted(err):
		return &streamer.Error{Kind: streamer.ErrThrottled, Err: fmt.Errorf("%w: %w", ErrDescriptors, err)}
	case errors.Is(err, fs.ErrNotExist):
		kind = streamer.ErrNotFound
	case errors.Is(err, fs.ErrPermission):
		kind = streamer.ErrDenied
	case errors.Is(err, fs.ErrExist):
		kind = streamer.ErrExists
	case errors.Is(err, ss.ErrHeader):
		kind = streamer.ErrInvalid
	case errors.Is(err, ErrFull), errors.Is(err, ErrDead):
		return err
	case isFull(err):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case isReadOnly(err):
		kind = streamer.ErrDenied
	default:
		return err
	}
	return &streamer.Error{Kind: kind, Err: err}
}

// About is Translate for an error that is about the file at path, and names
// that where the error does not. Context errors and io.EOF stay as they are.
func About(path string, err error) error {
	if err == nil || err == io.EOF || err == context.Canceled || err == context.DeadlineExceeded { //nolint:errorlint // bare ones
		return err
	}
	if _, ok := errors.AsType[*streamer.Error](err); ok {
		return err
	}
	if _, ok := errors.AsType[*os.PathError](err); ok {
		return Translate(err)
	}
	return Translate(fmt.Errorf("%s: %w", path, err))
}
