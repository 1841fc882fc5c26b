package disk

import (
	"errors"
	"syscall"
)

const (
	errorTooManyOpen    syscall.Errno = 4
	errorWriteProtect   syscall.Errno = 19
	errorHandleDiskFull syscall.Errno = 39
	errorDiskFull       syscall.Errno = 112
)

// isFull reports that the file system has no room.
func isFull(err error) bool {
	return errors.Is(err, errorDiskFull) || errors.Is(err, errorHandleDiskFull)
}

func isReadOnly(err error) bool { return errors.Is(err, errorWriteProtect) }

// IsExhausted reports that the process has no handle left.
func IsExhausted(err error) bool { return errors.Is(err, errorTooManyOpen) }
