// Package nonblock reads and writes files whose descriptor is shared with other
// processes, as standard input and output are. Any of them may set O_NONBLOCK,
// at any time, for all of them: a read or write that would wait then fails with
// EAGAIN in a file that was blocking when the program started.
package nonblock
