package file

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// sink is a producer's way to the log's writer. Its fields are Write's, of which there is one at a time, except those of the closing.
type sink struct {
	cfg     *Config
	log     *openLog
	w       *writer
	stream  string // a name that is known to be valid
	turn    int    // the last shard of a record without a key
	results []result

	stop   context.CancelFunc
	syncer sync.WaitGroup // the goroutine of Config.Sync, when that is an interval
	close  sync.Once
	closed error
}

// OpenSink implements streamer.Backend. It opens the log's writer: ErrBusy when another process has it.
func (b *backend) OpenSink(ctx context.Context, c streamer.SinkConfig) (streamer.Sink, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	s := &sink{cfg: b.writeConfig()}
	if c.Stream != "" {
		if err := s.checkStream(c.Stream); err != nil {
			return nil, err
		}
	}
	s.log = logs.retain(b.log)
	var err error
	if s.w, err = s.log.openWriter(s.cfg); err != nil {
		logs.release(s.log)
		return nil, err
	}
	b.made.Store(true)
	ctx, s.stop = context.WithCancel(context.Background())
	if s.cfg.Sync > 0 {
		s.syncer.Go(func() { s.syncEvery(ctx, c) })
	}
	return s, nil
}

// checkStream refuses names that cannot be streams. Records mostly have the same one.
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

// Limits implements streamer.Sink.
func (s *sink) Limits() streamer.Limits { return streamer.Limits{RecordBytes: MaxRecordBytes} }

// Flush implements streamer.Sink: the sink holds nothing.
func (s *sink) Flush(ctx context.Context) error { return ctx.Err() }

// Write implements streamer.Writer.
func (s *sink) Write(ctx context.Context, p []*streamer.Pending) error {
	for len(p) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := s.write(p)
		if err != nil {
			return about(s.log.path, err)
		}
		p = p[n:]
	}
	return nil
}

// write stores a portion of p and resolves it.
func (s *sink) write(p []*streamer.Pending) (int, error) {
	if len(s.results) < len(p) {
		s.results = make([]result, len(p))
	}
	n, file, end, err := s.w.append(s, p, s.results)
	if err != nil {
		return 0, err
	}
	if s.cfg.Sync == SyncAlways {
		if err := s.w.sync(file, end); err != nil {
			return 0, fmt.Errorf("%w, written but perhaps not on the disk: %w", streamer.ErrUnknown, err)
		}
	}
	for i, r := range s.results[:n] {
		p[i].Resolve(r.meta, r.err)
	}
	clear(s.results[:n])
	return n, nil
}

// sync puts the file's first end bytes on the disk. A failure is the end of the writer: what is on the disk is not known.
func (w *writer) sync(file *logFile, end int64) error {
	err := file.sync(end)
	if err == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == file && w.broken == nil {
		w.broken = err
	}
	return err
}

// syncEvery is the sink's goroutine when Config.Sync is an interval. It ends with ctx.
func (s *sink) syncEvery(ctx context.Context, c streamer.SinkConfig) {
	tick := time.NewTicker(s.cfg.Sync)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.w.mu.Lock()
		file, broken := s.w.file, s.w.broken
		s.w.mu.Unlock()
		if broken != nil {
			continue
		}
		if err := s.w.sync(file, file.written.Load()); err != nil && c.Logger != nil {
			c.Logger.Warn("what is stored may not survive a loss of power", "log", s.log.path, "err", err)
		}
	}
}

// Close implements streamer.Sink. Its ctx does not matter: nothing in it waits for others.
func (s *sink) Close(context.Context) error {
	s.close.Do(func() {
		s.stop()
		s.syncer.Wait()
		s.closed = s.log.closeWriter(s.cfg)
		logs.release(s.log)
	})
	if errors.Is(s.closed, streamer.ErrNotFound) {
		return nil // the log is gone, and its records have said so
	}
	return s.closed
}
