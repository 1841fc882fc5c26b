package file

import (
	"errors"
	"fmt"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

var (
	// ErrFull is a record for which there is no room: on the disk, within a
	// quota or the process's limit for the size of files, or within limit=, and
	// then it is streamer.ErrTooLarge as well. It has left no trace. Sending
	// works again as soon as there is room.
	ErrFull = disk.ErrFull
	// ErrDead is the error of every record once an fsync of the log has failed:
	// the system may have dropped what it could not write. Records whose
	// receipts were waiting for the disk are streamer.ErrUnknown as well. A
	// producer that is opened afterwards opens the log again.
	ErrDead = disk.ErrDead
	// ErrDescriptors is a file that could not be opened because the process, or
	// the system, has as many open as it may have. It is streamer.ErrThrottled
	// as well. An open consumer or producer tries again until there are others.
	ErrDescriptors = disk.ErrDescriptors
)

// What Err of a CorruptionError can be.
var (
	// ErrChecksum is a message whose payload does not match its checksum.
	// Reading continues with the next one.
	ErrChecksum = ss.ErrChecksum
	// ErrFrame is bytes that are no message. Reading continues behind the next
	// beacon.
	ErrFrame = ss.ErrFrame
	// ErrBeacon is a beacon that is unreadable. Reading continues behind the
	// next one.
	ErrBeacon = ss.ErrBeacon
)

// CorruptionError says that Length bytes of a log, from Offset on, hold no
// readable message. Hooks.Skipped reports it, and a warning: it is never the
// error of Next. Length is up to where reading continues or, at the end of the
// log, up to that.
type CorruptionError struct {
	Path           string
	Offset, Length int64
	Err            error // ErrChecksum, ErrFrame or ErrBeacon
}

func (e *CorruptionError) Error() string {
	return fmt.Sprintf("%s: %v: %d bytes from %d on", e.Path, e.Err, e.Length, e.Offset)
}

func (e *CorruptionError) Unwrap() error { return e.Err }

// CursorError is a position file of a group that cannot be used: it is damaged,
// or it is not one. Nothing of the log is affected. Set the file right, or
// remove it: then the group has no position in that shard.
type CursorError struct {
	Path string
	Err  error
}

func (e *CursorError) Error() string {
	return fmt.Sprintf("%s: not a position of a group: %v (mend the file, or remove it to forget the position)", e.Path, e.Err)
}

func (e *CursorError) Unwrap() []error { return []error{streamer.ErrInvalid, e.Err} }

// cursorError is the exported form of an error of a group's cursor.
func cursorError(err error) error {
	if d, ok := errors.AsType[*group.DamagedError](err); ok {
		return &CursorError{d.Path, d.Err}
	}
	return err
}

// openError is the exported form of an error of opening a log for writing.
func openError(path string, err error) error {
	if g, ok := errors.AsType[*logfile.GapError](err); ok {
		return disk.About(path, &CorruptionError{Path: g.Path, Offset: g.Offset, Length: g.Length, Err: logfile.ErrGap})
	}
	return err
}

// openAgain is how long what could not open a file waits before it tries again.
const openAgain = 100 * time.Millisecond

// passing marks an error that passes by itself as one.
func passing(err error) error {
	if errors.Is(err, ErrDescriptors) {
		return driver.Transient(err, openAgain)
	}
	return err
}
