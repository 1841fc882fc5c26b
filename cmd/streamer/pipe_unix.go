//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// watchPipe calls gone when the other end of f, a pipe or a socket, is closed:
// a command that waits for a message would not notice, because it does not
// write. The goroutine behind it has ended when the function that it returns
// does.
func watchPipe(f *os.File, gone func()) (stop func()) {
	wake, waker, err := os.Pipe()
	if err != nil {
		return func() {} // the next write tells as well
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if pollGone(f.Fd(), wake.Fd()) {
			gone()
		}
	}()
	return func() {
		_ = waker.Close()
		<-done
		_ = wake.Close()
	}
}

// pollGone waits until the reader of out has gone, true, or wake is closed,
// false.
func pollGone(out, wake uintptr) bool {
	// No event is asked for on out: errors and hang-ups are reported all the
	// same.
	fds := []unix.PollFd{{Fd: int32(out)}, {Fd: int32(wake), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
		case err != nil || fds[1].Revents != 0:
			return false
		case fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
			return true
		}
	}
}
