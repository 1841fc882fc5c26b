package file

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

// isFull says that the file system has no room.
func isFull(err error) bool {
	return errors.Is(err, errorDiskFull) || errors.Is(err, errorHandleDiskFull)
}

func isReadOnly(err error) bool { return errors.Is(err, errorWriteProtect) }

// isExhausted says that the process has no handle left.
func isExhausted(err error) bool { return errors.Is(err, errorTooManyOpen) }
