package logfile

// writerLock is what the writer of a log locks. Windows keeps others from
// reading what is locked, so it cannot be the log itself.
func writerLock(path string) string { return path + ".lock" }

const writerLockIsLog = false
