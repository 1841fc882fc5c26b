package main

import (
	"bufio"
	"errors"
	"fmt"

	"github.com/gostreamer/streamer/file"
)

// fileCmd are the tools for logs that are files.
type fileCmd struct {
	Decode decodeCmd `cmd:"" help:"Print every frame of a log."`
	Verify verifyCmd `cmd:"" help:"Check every byte of a log and count what is in it."`
	Repair repairCmd `cmd:"" help:"Copy every whole message of a damaged log to a new one."`
	Info   infoCmd   `cmd:"" help:"Show what a log has: its header, its streams and shards."`
}

// logArg is the log that a tool works on.
type logArg struct {
	Path string `arg:"" help:"The .ss file."`
}

// open opens the log, and sets the end of the progress line.
func (a *logArg) open(e *env) (*file.Log, error) {
	l, err := file.Inspect(a.Path)
	if err == nil {
		e.meter.end.Store(l.Size())
	}
	return l, err
}

// damage collects what a tool found unreadable.
type damage struct {
	ranges, bytes int64
	out           *bufio.Writer // where each range is printed; nil: as a warning
	e             *env
}

func (d *damage) add(c *file.CorruptionError) {
	d.ranges++
	d.bytes += c.Length
	if d.out != nil {
		fmt.Fprintf(d.out, "damaged: bytes %d to %d (%d): %v\n", c.Offset, c.Offset+c.Length-1, c.Length, c.Err)
		return
	}
	fmt.Fprintf(d.e.err, "streamer: warning: %v\n", c)
}

// err is the failure that makes the exit code.
func (d *damage) err(what string) error {
	if d.ranges == 0 {
		return nil
	}
	return fmt.Errorf("%s: damaged: %s, %s", what, counted(d.ranges, "range"), size(d.bytes))
}

// advance is a tool's progress.
func (e *env) advance(at int64) {
	e.meter.at.Store(at)
	e.meter.bytes.Store(at)
	e.meter.messages.Add(1)
}

// isDamage is err as a range of bytes that could not be read; nil when it is
// something else.
func isDamage(err error) *file.CorruptionError {
	c, _ := errors.AsType[*file.CorruptionError](err)
	return c
}
