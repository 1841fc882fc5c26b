package file

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// Salvage is what Repair saved and what it could not.
type Salvage struct {
	Messages int64 // in the new log
	Inside   int64 // of these, found between bytes that readers skip as unreadable
	Bare     int64 // of these, without the key and the headers that they had: those could not be read
	Lost     int64 // ranges of bytes that could not be read
	Bytes    int64 // and how long they are, without what was found in them
	Missing  int64 // numbers that a shard of the new log lacks and the damage may have had
}

// Repair writes every whole frame of the log to a new one at path, with its
// stream, shard, number and time, behind beacons that are right. lost is called
// with each range of bytes that could not be read. An end of stream stays only
// where it is the end. The log itself is not changed. ErrExists when there is
// something at path. The new log is on the disk when Repair returns; after an
// error there is none.
func (l *Log) Repair(ctx context.Context, path string, lost func(*CorruptionError), progress func(at int64)) (*Salvage, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, disk.Translate(err)
	}
	r := repair{
		l: l, lost: lost, progress: progress, out: bufio.NewWriterSize(f, portion),
		enc: ss.NewEncoder(l.h.Interval, ss.HeaderSize), last: map[streamer.StreamShard]uint64{},
	}
	err = r.run(ctx)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, errors.Join(disk.About(path, err), os.Remove(path))
	}
	return &r.s, disk.SyncDir(filepath.Dir(path))
}

type repair struct {
	l        *Log
	lost     func(*CorruptionError)
	progress func(int64)
	out      *bufio.Writer
	enc      *ss.Encoder
	buf      []byte
	held     *ss.Frame // an end of stream or an envelope, until what follows it is known
	spoiled  bool      // an envelope could not be read
	last     map[streamer.StreamShard]uint64
	s        Salvage
	failed   error
}

func (r *repair) run(ctx context.Context) error {
	r.buf = r.l.h.Append(r.buf)
	s := ss.NewScanner(io.NewSectionReader(r.l.v.Src, 0, r.l.v.Size), r.l.h.Interval, ss.HeaderSize)
	err := eachFrame(ctx, s, func(f *ss.Frame, d *ss.Damage) bool {
		if r.progress != nil {
			r.progress(s.Offset())
		}
		if d != nil {
			r.damage(d)
		} else {
			r.take(f)
		}
		return r.failed == nil
	})
	if err = errors.Join(err, r.failed); err != nil {
		return err
	}
	if err := r.tail(s); err != nil {
		return err
	}
	if r.held != nil && r.held.IsEOS() {
		r.put(r.held)
	}
	r.flush()
	return errors.Join(r.failed, r.out.Flush())
}

// take copies a frame. One that belongs to the next is held back.
func (r *repair) take(f *ss.Frame) {
	held, spoiled := r.held, r.spoiled
	r.held, r.spoiled = nil, false
	if f.IsEOS() || f.IsInternal() && logfile.IsEnvelope(f.Payload) {
		copied := *f
		copied.Key, copied.Payload = []byte(ss.Internal), append([]byte(nil), f.Payload...)
		r.held = &copied
		return
	}
	if !f.IsInternal() {
		if held != nil && !held.IsEOS() && held.Shard == f.Shard && held.Seq == f.Seq {
			r.put(held)
		} else if spoiled {
			r.s.Bare++
		}
		r.s.Messages++
		where := logfile.ShardOf(f)
		if last, ok := r.last[where]; ok && f.Seq > logfile.NextSeq(last) {
			r.s.Missing += int64(min(f.Seq-last-1, 1<<62))
		}
		r.last[where] = max(f.Seq, r.last[where])
	}
	r.put(f)
}

func (r *repair) put(f *ss.Frame) {
	r.buf = r.enc.Append(r.buf, string(f.Key), f.Shard, f.Seq, f.Time, f.Payload)
	r.enc.Commit()
	if len(r.buf) >= portion {
		r.flush()
	}
}

func (r *repair) flush() {
	if _, err := r.out.Write(r.buf); err != nil && r.failed == nil {
		r.failed = err
	}
	r.buf = r.buf[:0]
}

// damage looks for whole frames in a range that readers skip. Of a frame
// with a wrong checksum whose end is known there is nothing to find.
func (r *repair) damage(d *ss.Damage) {
	r.held = nil
	r.s.Lost++
	r.s.Bytes += d.Length
	r.lost(r.l.corruption(d))
	if d.Frame.Key != nil {
		r.spoiled = d.Frame.IsInternal()
		return
	}
	r.failed = ss.Salvage(r.l.v.Src, r.l.h.Interval, d.Offset, d.Offset+d.Length, r.found)
}

// found takes a frame that stands among unreadable bytes, unless it is older
// than what is there: then it is part of a payload.
func (r *repair) found(f *ss.Frame) {
	if last, ok := r.last[logfile.ShardOf(f)]; ok && f.Seq <= last && !f.IsInternal() {
		return
	}
	r.s.Bytes -= ss.FrameSize(len(f.Key), len(f.Payload))
	if !f.IsInternal() {
		r.s.Inside++
	}
	r.take(f)
}

// tail looks at what is behind the last frame, if it is more than a crash
// leaves.
func (r *repair) tail(s *ss.Scanner) error {
	from, size := s.Offset(), r.l.v.Size
	if from >= size {
		return nil
	}
	damaged, err := logfile.WorthKeeping(r.l.v.Src, s, size)
	if err != nil || !damaged {
		return err
	}
	r.damage(&ss.Damage{Offset: from, Length: size - from, Err: ErrFrame})
	return r.failed
}
