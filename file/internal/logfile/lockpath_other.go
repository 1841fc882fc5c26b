//go:build !windows

package logfile

// writerLock is what the writer of a log locks: the log. Readers do not care.
func writerLock(path string) string { return path }

const writerLockIsLog = true
