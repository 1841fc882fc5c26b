package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// Log is a log that is looked at as it is, whole or damaged, without a
// consumer: for tools. It sees the log as it was when it was opened; another
// process may write it meanwhile. A Log is not safe for concurrent use.
type Log struct {
	path string
	v    *logfile.OpenedView
	h    ss.Header
	at   int64
}

// Inspect opens a log in one file, or one segment of another. ErrNotFound,
// ErrDenied, ErrUnsupported for a directory, ErrInvalid for a file that is not
// a log.
func Inspect(path string) (*Log, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory: each segment in it is a log to look at: %w", path, streamer.ErrUnsupported)
	}
	v, err := logfile.OpenView(path)
	if err == nil && v == nil {
		err = fmt.Errorf("%w: it has no header", ss.ErrHeader)
	}
	if err != nil {
		return nil, disk.About(path, err)
	}
	h, err := logfile.ReadHeader(v.Handle)
	if err != nil {
		v.Close()
		return nil, disk.About(path, err)
	}
	return &Log{path: path, v: v, h: h}, nil
}

// Close closes the file.
func (l *Log) Close() error { return l.v.Handle.Close() }

// Size is how many bytes the log had when it was opened.
func (l *Log) Size() int64 { return l.v.Size }

// At is how far Messages has come: the offset behind the last message.
func (l *Log) At() int64 { return l.at }

// Name is what the file was called when it was created.
func (l *Log) Name() string { return l.h.Name }

// Created is when.
func (l *Log) Created() time.Time { return logfile.TimeOf(l.h.Created) }

// BeaconInterval is the distance of the log's beacons in bytes.
func (l *Log) BeaconInterval() int64 { return int64(l.h.Interval) }

// Frame is one frame of a log: a message, or what SeaStreamer or this package
// put between them. Payload is the reader's until the next one is read.
type Frame struct {
	Stream     string
	Shard, Seq uint64
	Time       time.Time
	Payload    []byte
	Offset     int64 // in the file
	End        int64
}

// IsEndOfStream says that the frame ends the log, if nothing follows it.
func (f *Frame) IsEndOfStream() bool { return f.Stream == ss.Internal && string(f.Payload) == ss.EOS }

// Frames reads the log from its beginning. What cannot be read is a
// *CorruptionError in its place, and reading continues behind it; any other
// error is the last. An incomplete frame at the end is neither.
func (l *Log) Frames(ctx context.Context) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		s := ss.NewScanner(io.NewSectionReader(l.v.Src, 0, l.v.Size), l.h.Interval, ss.HeaderSize)
		err := eachFrame(ctx, s, func(f *ss.Frame, d *ss.Damage) bool {
			if d != nil {
				return yield(Frame{}, l.corruption(d))
			}
			return yield(Frame{string(f.Key), f.Shard, f.Seq, logfile.TimeOf(f.Time), f.Payload, f.Pos, f.End}, nil)
		})
		if err != nil {
			yield(Frame{}, disk.About(l.path, err))
		}
	}
}

// eachFrame calls f with each frame or damage, until it returns false.
func eachFrame(ctx context.Context, s *ss.Scanner, f func(*ss.Frame, *ss.Damage) bool) error {
	for {
		frame, err := s.Next()
		if err == nil {
			if !f(&frame, nil) {
				return nil
			}
			continue
		}
		if d, ok := errors.AsType[*ss.Damage](err); ok {
			if !f(nil, d) {
				return nil
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.Fill(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (l *Log) corruption(d *ss.Damage) *CorruptionError {
	return &CorruptionError{Path: l.path, Offset: d.Offset, Length: d.Length, Err: d.Err}
}

// Messages reads the log's messages, with their keys and headers. Errors are as
// those of Frames; a message is the program's.
func (l *Log) Messages(ctx context.Context) iter.Seq2[*streamer.Message, error] {
	return func(yield func(*streamer.Message, error) bool) {
		r := l.v.Reader()
		var b batch
		var e logfile.Entry
		for {
			err := r.NextEntry(&e)
			if err == nil {
				sh := shard{StreamShard: logfile.ShardOf(&e.Frame)}
				b.add(&sh, &e)
				l.at = e.End
				if !yield(&b.slab(r.Window())[0], nil) {
					return
				}
				continue
			}
			if d, ok := errors.AsType[*ss.Damage](err); ok {
				if !yield(nil, l.corruption(d)) {
					return
				}
				continue
			}
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if err := r.ReadOn(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				yield(nil, disk.About(l.path, err))
				return
			}
		}
	}
}

// Beacon is a beacon of a log: what its writer knew of some of its streams.
type Beacon struct {
	Remaining uint32 // bytes of the frame that it splits which are still to come
	Items     []BeaconItem
}

// BeaconItem sums up one stream's shard.
type BeaconItem struct {
	Stream          string
	Shard, Seq      uint64
	Time            time.Time
	RunningChecksum uint16
}

// Beacon reads the beacon with index n: the one at n times the interval, n ≥ 1.
// A *CorruptionError says that it cannot be read.
func (l *Log) Beacon(n int64) (*Beacon, error) {
	b, ok, err := l.v.Beacon(n)
	if err != nil {
		return nil, disk.About(l.path, err)
	}
	if !ok {
		return nil, &CorruptionError{Path: l.path, Offset: n * l.BeaconInterval(), Length: min(l.BeaconInterval(), l.v.Size-n*l.BeaconInterval()), Err: ErrBeacon}
	}
	out := &Beacon{Remaining: b.Remaining}
	for _, i := range b.Items {
		out.Items = append(out.Items, BeaconItem{i.Key, i.Shard, i.Seq, logfile.TimeOf(i.Time), i.Running})
	}
	return out, nil
}
