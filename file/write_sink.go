package file

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// sink is a producer's way to the log's writer. Its fields are Write's, of
// which there is one at a time, except those of the closing.
type sink struct {
	cfg      *Config
	location *location
	moving   sync.Mutex // of the log and its writer, which Write may exchange
	log      *openLog
	w        *writer
	stream   string // a name that is known to be valid
	turn     int    // the last shard of a record without a key
	results  []result

	stop   context.CancelFunc
	syncer sync.WaitGroup // the goroutine of Config.Sync, when that is an interval
	close  sync.Once
	closed error
}

// OpenSink implements driver.Backend. It opens the log's writer: ErrBusy when
// another process has it.
func (b *backend) OpenSink(ctx context.Context, c driver.SinkConfig) (driver.Sink, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	s := &sink{cfg: b.writeConfig(), location: logs.shareLocation(b.location)}
	if c.Stream != "" {
		if err := s.checkStream(c.Stream); err != nil {
			logs.releaseLocation(s.location)
			return nil, err
		}
	}
	if err := s.openWriter(b.log.segmented); err != nil {
		logs.releaseLocation(s.location)
		return nil, disk.About(b.location.path, err)
	}
	b.made.Store(true)
	ctx, s.stop = context.WithCancel(context.Background())
	if s.cfg.Sync > 0 {
		s.syncer.Go(func() { s.syncEvery(ctx, c) })
	}
	return s, nil
}

// checkStream refuses names that cannot be streams. Records mostly have the
// same one.
func (s *sink) checkStream(name string) error {
	if name == s.stream && name != "" {
		return nil
	}
	if err := checkName(name); err != nil {
		return err
	}
	s.stream = name
	return nil
}

// Limits implements driver.Sink.
func (s *sink) Limits() driver.Limits {
	if s.cfg.Sync == SyncAlways {
		return driver.Limits{RecordBytes: MaxRecordBytes, Bytes: portionToSync}
	}
	return driver.Limits{RecordBytes: MaxRecordBytes, Bytes: portion}
}

// Flush implements driver.Sink: the sink holds nothing.
func (s *sink) Flush(ctx context.Context) error { return ctx.Err() }

// Write implements driver.Writer: one write and, where receipts wait for the
// disk, one fsync, which may be another producer's.
func (s *sink) Write(ctx context.Context, p []*driver.Pending) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.results = slices.Grow(s.results[:0], len(p))[:len(p)]
	clear(s.results)
	to, err := s.append(p)
	if s.cfg.Sync == SyncAlways && to.whole > 0 {
		if failed := s.w.sync(to.file, to.end); failed != nil {
			to.whole, err = 0, fmt.Errorf("%w, written but perhaps not on the disk: %w", streamer.ErrUnknown, failed)
		}
	}
	s.resolve(p, to.whole)
	if err = disk.About(s.location.path, err); to.whole == 0 {
		err = passing(err)
	}
	return err
}

// append writes records where the path leads. It may lead to another log than
// it did: then the sink continues there, if producers make logs.
func (s *sink) append(p []*driver.Pending) (appended, error) {
	to, err := s.w.append(s, p, s.results)
	if !errors.Is(err, logfile.ErrElsewhere) || s.cfg.Create != streamer.CreateAuto && s.cfg.Create != streamer.CreateAlways {
		return to, err
	}
	if err := s.openWriter(s.log.segmented); err != nil {
		return appended{}, err
	}
	clear(s.results)
	return s.w.append(s, p, s.results)
}

// openWriter opens the writer of the log that the path leads to. It replaces
// the writer of another log.
func (s *sink) openWriter(segmented bool) error {
	l, err := logs.acquire(s.location.path, segmented)
	if err == nil && l.segmented != segmented {
		err = fmt.Errorf("%w log: %s is a directory of segments now, and was a file", streamer.ErrInvalid, s.location.path)
		logs.release(l)
	}
	if err != nil {
		return err
	}
	w, err := l.openWriter(s.cfg)
	if err != nil {
		logs.release(l)
		return err
	}
	s.moving.Lock()
	left, used := s.log, s.w
	s.log, s.w = l, w
	s.moving.Unlock()
	if left != nil {
		_ = left.closeWriter(used, s.cfg) // its records have their receipts
		logs.release(left)
	}
	return nil
}

// resolve reports the records that have an error of their own and, of the
// others, the first whole ones. Those that are left have failed together.
func (s *sink) resolve(p []*driver.Pending, whole int) {
	for i, r := range s.results {
		if r.err == nil && whole == 0 {
			continue
		}
		if r.err == nil {
			whole--
		}
		p[i].Resolve(r.meta, r.err)
	}
}

// sync puts the file's first end bytes on the disk. When that fails the writer
// is dead: what is on the disk is not known.
func (w *writer) sync(file *logfile.File, end int64) error {
	err := file.Sync(end)
	if err == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == file {
		w.broken = err
	}
	return err
}

// syncEvery is the sink's goroutine when Config.Sync is an interval. It ends
// with ctx.
func (s *sink) syncEvery(ctx context.Context, c driver.SinkConfig) {
	tick := time.NewTicker(s.cfg.Sync)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.moving.Lock()
		w := s.w
		s.moving.Unlock()
		w.mu.Lock()
		file, broken := w.file, w.broken
		w.mu.Unlock()
		if broken != nil {
			continue
		}
		if err := w.sync(file, file.Written.Load()); err != nil && c.Logger != nil {
			c.Logger.Warn("what is stored may not survive a loss of power", "log", s.location.path, "err", err)
		}
	}
}

// Close implements driver.Sink. Its ctx does not matter: nothing in it waits
// for others.
func (s *sink) Close(context.Context) error {
	s.close.Do(func() {
		s.stop()
		s.syncer.Wait()
		s.closed = s.log.closeWriter(s.w, s.cfg)
		logs.release(s.log)
		logs.releaseLocation(s.location)
	})
	if errors.Is(s.closed, streamer.ErrNotFound) {
		return nil // the log is gone, and its records have said so
	}
	return s.closed
}
