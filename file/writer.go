package file

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
	"github.com/gostreamer/streamer/internal/keyhash"
)

// portion is how many bytes go into one write: enough that the system call does not matter, little enough that a large batch is not held twice.
const portion = 1 << 20

// writing is the writer of a log in this process, while there is one, and who uses it.
type writing struct {
	mu    sync.Mutex // held while the writer is opened and closed
	w     *writer
	users int
}

// writer appends to a log, for every producer of the process. What several of them send between two writes goes into the file together.
type writer struct {
	log *openLog

	mu      sync.Mutex // held during a write: it is what the others wait for
	file    *logFile
	buf     []byte
	scratch []byte // an envelope
	broken  error
	eos     bool // a producer wants the log to end
}

// result is the outcome of one record.
type result struct {
	meta streamer.Meta
	err  error
}

// openWriter opens the log's writer, or joins those who use it. Each needs a closeWriter.
func (l *openLog) openWriter(c *Config) (*writer, error) {
	l.writing.mu.Lock()
	defer l.writing.mu.Unlock()
	if w := l.writing.w; w != nil {
		if c.Create == streamer.CreateNew {
			return nil, fmt.Errorf("%s: %w", l.path, streamer.ErrExists)
		}
		l.writing.users++
		w.join(c)
		return w, nil
	}
	file, err := openLogFile(l.path, c.Create, c.Beacon)
	if err != nil {
		return nil, err
	}
	if err := file.settle(l.path, c.Sync); err != nil {
		return nil, errors.Join(err, file.close())
	}
	w := &writer{log: l, file: file, eos: c.EOS}
	l.writing.w, l.writing.users = w, 1
	l.readers.notify()
	return w, nil
}

func (w *writer) join(c *Config) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.eos = w.eos || c.EOS
}

// closeWriter ends one use. The last one ends the log, if a producer asked for that, and gives it up.
func (l *openLog) closeWriter(c *Config) error {
	l.writing.mu.Lock()
	defer l.writing.mu.Unlock()
	w := l.writing.w
	if l.writing.users--; l.writing.users > 0 {
		return w.settle(c)
	}
	l.writing.w = nil
	err := errors.Join(w.end(c), w.settle(c), w.file.close())
	l.readers.notify()
	return about(l.path, err)
}

// settle puts on the disk what should be there when a producer closes.
func (w *writer) settle(c *Config) error {
	if c.Sync == 0 {
		return nil
	}
	w.mu.Lock()
	file, works := w.file, w.broken == nil // else the records have said so
	w.mu.Unlock()
	if !works {
		return nil
	}
	return file.sync(file.written.Load())
}

// end writes the end of stream.
func (w *writer) end(c *Config) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.eos || w.broken != nil {
		return nil
	}
	m := w.file.enc.Mark()
	b := w.file.enc.Append(nil, ss.Internal, 0, 0, nowMillis(), []byte(ss.EOS))
	if w.file.enc.Offset() > c.Limit {
		w.file.enc.Rollback(m)
		return full(c)
	}
	return w.file.put(m, b)
}

func full(c *Config) error {
	return fmt.Errorf("the log is full, limit=%d: %w", c.Limit, streamer.ErrTooLarge)
}

// append writes as many of p as make a portion and returns the file they are in, and its size with them. out gets the outcome of each, which is final when err
// is nil.
func (w *writer) append(s *sink, p []*streamer.Pending, out []result) (n int, file *logFile, end int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	err = w.write(s.cfg, func() error {
		n = w.encode(s, p, out)
		return nil
	})
	if err != nil {
		return 0, nil, 0, err
	}
	w.log.readers.notify()
	return n, w.file, w.file.written.Load(), nil
}

// write puts into the log what encode appends to the buffer. When the log was deleted or replaced meanwhile it goes on in the one at its place, if producers make
// logs. mu is held.
func (w *writer) write(c *Config, encode func() error) error {
	for again := c.Create == streamer.CreateAuto || c.Create == streamer.CreateAlways; ; again = false {
		if w.broken == nil {
			m := w.file.enc.Mark()
			w.buf = w.buf[:0]
			if err := encode(); err != nil {
				w.file.enc.Rollback(m)
				return err
			}
			if err := w.put(m); !errors.Is(err, errMoved) || !again {
				return err
			}
		}
		if !again {
			return w.broken
		}
		if err := w.reopen(c); err != nil {
			return err
		}
	}
}

// put writes the buffer and makes sure that it is where readers will look. mu is held.
func (w *writer) put(m ss.Mark) error {
	if len(w.buf) == 0 {
		return nil
	}
	err := w.file.put(m, w.buf)
	if err == nil {
		err = w.file.check(w.log.path)
	}
	if _, ok := errors.AsType[*brokenError](err); ok || errors.Is(err, errMoved) {
		w.broken = err
	}
	if cap(w.buf) > 4*portion {
		w.buf = nil
	}
	return err
}

// reopen goes on in the file that the log's path names now, or in a new one. mu is held.
func (w *writer) reopen(c *Config) error {
	_ = w.file.close()
	file, err := openLogFile(w.log.path, c.Create, c.Beacon)
	if err != nil {
		w.broken = err
		return err
	}
	w.file, w.broken = file, nil
	return nil
}

// encode fills the buffer with the frames of p's first records and returns how many these are. mu is held.
func (w *writer) encode(s *sink, p []*streamer.Pending, out []result) int {
	now := time.Now()
	for i := range p {
		if len(w.buf) >= portion {
			return i
		}
		out[i].meta, out[i].err = w.encodeOne(s, &p[i].Record, now)
	}
	return len(p)
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
	enc, shard := w.file.enc, uint64(s.shardOf(r))
	seq, ok := enc.NextSeq(r.Stream, shard)
	if !ok {
		return meta, fmt.Errorf("the sequence numbers of the shard are used up: %w", streamer.ErrTooLarge)
	}
	m, start := enc.Mark(), len(w.buf)
	if needsEnvelope(r) {
		w.scratch = appendEnvelope(w.scratch[:0], r)
		w.buf = enc.Append(w.buf, ss.Internal, shard, seq, ms, w.scratch)
	}
	w.buf = enc.Append(w.buf, r.Stream, shard, seq, ms, r.Value)
	if enc.Offset() > s.cfg.Limit {
		enc.Rollback(m)
		w.buf = w.buf[:start]
		return meta, full(s.cfg)
	}
	return streamer.Meta{Stream: r.Stream, Shard: streamer.ShardID(shard), Seq: streamer.SeqUint(seq), Time: timeOf(ms)}, nil
}

// stamp is a record's time in the log: milliseconds since 1970.
func stamp(t, now time.Time) (uint64, error) {
	if t.IsZero() {
		t = now
	}
	ms := t.UnixMilli()
	if t.Unix() < 0 || ms > ss.MaxTime {
		return 0, fmt.Errorf("%w time %v: want one from 1970 to 9999", streamer.ErrInvalid, t)
	}
	return uint64(ms), nil
}

func timeOf(ms uint64) time.Time { return time.UnixMilli(int64(min(ms, math.MaxInt64))).UTC() }

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

func nowMillis() uint64 { return uint64(max(time.Now().UnixMilli(), 0)) }
