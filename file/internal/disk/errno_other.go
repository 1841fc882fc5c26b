//go:build !windows

package disk

import (
	"errors"
	"syscall"
)

// isFull reports that the file system has no room, or none for this user, or
// that the process may not have larger files.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

// IsExhausted reports that the process or the system has no file descriptor
// left.
func IsExhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
