package file

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
	"github.com/gostreamer/streamer/internal/keyhash"
)

// portion is how many bytes go into one write: enough that the system call does
// not matter, little enough that a large batch is not held twice. Where an
// fsync follows, more make it worth its while.
const (
	portion       = 1 << 20
	portionToSync = 4 << 20
)

// writing is the writer of a log in this process, while there is one.
type writing struct {
	mu sync.Mutex // held while the writer is opened and closed
	w  *writer
}

// writer appends to a log, for every producer of the process. What several of
// them send between two writes goes into the file together.
type writer struct {
	log   *openLog
	users int // writing.mu's

	mu      sync.Mutex // held during a write: it is what the others wait for
	file    *logfile.File
	buf     []byte
	ends    []ss.Mark // of the records in the buffer
	scratch []byte    // an envelope
	broken  error     // why nothing can be written; ErrDead: until a producer opens the log again
	eos     bool      // a producer wants the log to end

	retained   time.Time // when it was last looked for segments to drop
	retainedAt int64     // and which one was written then
}

// result is the outcome of one record.
type result struct {
	meta streamer.Meta
	err  error
}

// openWriter opens the log's writer, or joins those who use it. Each needs a
// closeWriter.
func (l *openLog) openWriter(c *Config) (*writer, error) {
	l.writing.mu.Lock()
	defer l.writing.mu.Unlock()
	old := l.writing.w
	if old != nil && c.Create == streamer.CreateNew {
		return nil, fmt.Errorf("%s: %w (%w)", l.path, streamer.ErrExists, logfile.ErrCreateNew)
	}
	if old != nil && old.join(c) {
		return old, nil
	}
	file, err := l.openFile(c, old)
	if err != nil {
		return nil, err
	}
	w := &writer{log: l, file: file, eos: c.EOS, users: 1}
	l.writing.w = w
	l.readers.ours.Store(true)
	l.readers.notify()
	return w, nil
}

// openFile opens the log's file for a writer. dead, if not nil, is the one that
// it replaces.
func (l *openLog) openFile(c *Config, dead *writer) (*logfile.File, error) {
	if dead != nil {
		_ = dead.file.Close() // it holds the lock
	}
	file, err := l.openWritable(c, c.Create)
	if err != nil {
		return nil, err
	}
	if dead != nil {
		err = file.Rewrite(dead.file.OnDisk())
	}
	if err == nil {
		err = file.Persist(c.Sync)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// join adds a user, unless the writer is dead.
func (w *writer) join(c *Config) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(w.broken, ErrDead) {
		return false
	}
	w.users++
	w.eos = w.eos || c.EOS
	return true
}

// closeWriter ends one use. The last one ends the log, if a producer asked for
// that, and gives it up.
func (l *openLog) closeWriter(w *writer, c *Config) error {
	l.writing.mu.Lock()
	defer l.writing.mu.Unlock()
	if w.users--; w.users > 0 {
		return w.persist(c)
	}
	if l.writing.w == w {
		l.writing.w = nil
	}
	err := errors.Join(w.end(c), w.persist(c), w.file.Close())
	l.readers.ours.Store(l.writing.w != nil)
	l.readers.notify()
	return disk.About(l.path, err)
}

// persist puts on the disk what should be there when a producer closes.
func (w *writer) persist(c *Config) error {
	if c.Sync == 0 {
		return nil
	}
	w.mu.Lock()
	file, broken := w.file, w.broken
	w.mu.Unlock()
	if broken == nil {
		return w.sync(file, file.Written.Load())
	}
	if errors.Is(broken, ErrDead) {
		return broken
	}
	return nil // the records have said so
}

// end writes the end of stream.
func (w *writer) end(c *Config) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.eos || w.broken != nil {
		return nil
	}
	m := w.file.Enc.Mark()
	b := w.file.Enc.Append(nil, ss.Internal, 0, 0, logfile.NowMillis(), []byte(ss.EOS))
	if w.file.Base+w.file.Enc.Offset() > w.limit(c) {
		w.file.Enc.Rollback(m)
		return full(c)
	}
	return w.file.Put(m, b)
}

func full(c *Config) error {
	return fmt.Errorf("%w, limit=%d: %w", ErrFull, c.Limit, streamer.ErrTooLarge)
}

// appended is where a writer has put records.
type appended struct {
	file  *logfile.File
	end   int64 // the file's size with them
	whole int   // how many of those that have no error of their own are in it; all when there was no error
}

// append writes p. out gets the outcome of each: an error of its own, or where
// it is if the file has it.
func (w *writer) append(s *sink, p []*driver.Pending, out []result) (appended, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	whole, err := w.write(s.cfg, s.location, func() error {
		w.encode(s, p, out)
		return nil
	})
	if whole > 0 {
		w.log.readers.notify()
	}
	return appended{w.file, w.file.Written.Load(), whole}, err
}

// write puts into the log what encode appends to the buffer, and returns how
// many of the records it has then. When the log was deleted or replaced
// meanwhile it continues in the log at its path, if producers make logs; when
// only the producer's own path leads elsewhere by now that is ErrElsewhere. mu
// is held.
func (w *writer) write(c *Config, at *location, encode func() error) (whole int, err error) {
	for first := true; ; first = false {
		if w.broken == nil {
			if whole, err = w.attempt(c, at, encode); !errors.Is(err, logfile.ErrMoved) {
				return whole, err
			}
		}
		if !first || !w.mendable(c) {
			return 0, w.broken
		}
		if err := w.reopen(c); err != nil {
			return 0, err
		}
	}
}

// attempt writes to the file that is open. It looks where the path leads before
// that, so that a log which has been put away gets no record that its
// successor gets too. mu is held.
func (w *writer) attempt(c *Config, at *location, encode func() error) (whole int, err error) {
	if err := w.file.Check(at.path); err != nil {
		return 0, w.fail(err)
	}
	if err := w.rotate(c); err != nil {
		return 0, err
	}
	m := w.file.Enc.Mark()
	w.buf, w.ends = w.buf[:0], w.ends[:0]
	if err := encode(); err != nil {
		w.file.Enc.Rollback(m)
		return 0, err
	}
	return w.put(m, at)
}

// fail notes that the file must not be written before it is opened again, if
// err says so. mu is held.
func (w *writer) fail(err error) error {
	if _, ok := errors.AsType[*logfile.BrokenError](err); ok || errors.Is(err, logfile.ErrMoved) {
		w.broken = err
	}
	return err
}

// rotate begins another segment when the last one is full, and drops old ones.
// mu is held.
func (w *writer) rotate(c *Config) error {
	if w.file.Full(c.Segment, c.SegmentAge) {
		next, err := w.file.Successor()
		if errors.Is(err, ErrDead) {
			w.broken = err
		}
		if err != nil {
			return err
		}
		_ = w.file.Handle.Close() // all of it is on the disk
		w.file = next
		w.log.readers.notify()
	}
	w.retain(c, time.Now())
	return nil
}

// put writes the buffer and makes sure that it is where readers will look. mu
// is held.
func (w *writer) put(m ss.Mark, at *location) (whole int, err error) {
	whole, err = w.file.Store(m, w.buf, w.ends)
	if err == nil && len(w.buf) > 0 {
		if err = w.file.Check(at.path); err != nil {
			whole = 0
		}
		if err != nil && !errors.Is(err, streamer.ErrNotFound) {
			err = fmt.Errorf("%w, written but perhaps not where the log's path leads: %w", streamer.ErrUnknown, err)
		}
	}
	if cap(w.buf) > 2*portionToSync {
		w.buf = nil
	}
	return whole, w.fail(err)
}

// mendable reports whether opening the log again may help. mu is held.
func (w *writer) mendable(c *Config) bool {
	if errors.Is(w.broken, logfile.ErrMoved) {
		return c.Create == streamer.CreateAuto || c.Create == streamer.CreateAlways
	}
	return !errors.Is(w.broken, ErrDead)
}

// reopen continues in the file that the log's path names now, or in a new one
// where there is none. mu is held.
func (w *writer) reopen(c *Config) error {
	_ = w.file.Close()
	create := c.Create
	if create == streamer.CreateNew {
		create = streamer.CreateNever
	}
	file, err := w.log.openWritable(c, create)
	if err != nil {
		w.broken = err
		return err
	}
	w.file, w.broken = file, nil
	return nil
}

// encode fills the buffer with the frames of p. mu is held.
func (w *writer) encode(s *sink, p []*driver.Pending, out []result) {
	now := time.Now()
	for i := range p {
		out[i].meta, out[i].err = w.encodeOne(s, &p[i].Record, now)
	}
}

func (w *writer) encodeOne(s *sink, r *streamer.Record, now time.Time) (meta streamer.Meta, err error) {
	if err := s.checkStream(r.Stream); err != nil {
		return meta, err
	}
	ms, err := stamp(r.Time, now)
	if err != nil {
		return meta, err
	}
	if recordSize(r) > MaxRecordBytes {
		return meta, fmt.Errorf("key, value and headers of %d bytes, the limit is %d: %w", recordSize(r), MaxRecordBytes, streamer.ErrTooLarge)
	}
	enc, shard := w.file.Enc, uint64(s.shardOf(r))
	seq, ok := enc.NextSeq(r.Stream, shard)
	if !ok {
		return meta, fmt.Errorf("the sequence numbers of the shard are used up: %w", streamer.ErrTooLarge)
	}
	m, start := enc.Mark(), len(w.buf)
	if logfile.NeedsEnvelope(r) {
		w.scratch = logfile.AppendEnvelope(w.scratch[:0], r)
		w.buf = enc.Append(w.buf, ss.Internal, shard, seq, ms, w.scratch)
	}
	w.buf = enc.Append(w.buf, r.Stream, shard, seq, ms, r.Value)
	if w.file.Base+enc.Offset() > w.limit(s.cfg) {
		enc.Rollback(m)
		w.buf = w.buf[:start]
		return meta, full(s.cfg)
	}
	w.ends = append(w.ends, enc.Ended())
	return streamer.Meta{Stream: r.Stream, Shard: streamer.ShardID(shard), Seq: streamer.SeqUint(seq), Time: logfile.TimeOf(ms)}, nil
}

// limit is the offset that the log must not exceed.
func (w *writer) limit(c *Config) int64 {
	if w.file.Dir == "" || c.Limit >= never-w.file.Oldest {
		return c.Limit
	}
	return w.file.Oldest + c.Limit
}

// stamp is a record's time in the log: milliseconds since 1970.
func stamp(t, now time.Time) (uint64, error) {
	if t.IsZero() {
		t = now
	}
	if t.Unix() < 0 || t.Unix() > ss.MaxTime/1000 {
		return 0, fmt.Errorf("a Time of %v: %w; the log holds 1970 to 9999", t, streamer.ErrUnsupported)
	}
	return uint64(t.UnixMilli()), nil
}

func recordSize(r *streamer.Record) int {
	n := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return n
}

// shardOf is where a record goes. Those without a key take turns.
func (s *sink) shardOf(r *streamer.Record) streamer.ShardID {
	switch {
	case r.Shard != nil:
		return *r.Shard
	case r.Key != nil:
		return streamer.ShardID(keyhash.Shard(r.Key, s.cfg.Shards))
	}
	s.turn = (s.turn + 1) % s.cfg.Shards
	return streamer.ShardID(s.turn)
}

// openWritable opens the log for writing in the form that it has.
func (l *openLog) openWritable(c *Config, create streamer.Create) (*logfile.File, error) {
	open := logfile.OpenFile
	if l.segmented {
		open = logfile.OpenSegments
	}
	file, err := open(l.path, create, c.Beacon, l.under)
	return file, openError(l.path, err)
}
