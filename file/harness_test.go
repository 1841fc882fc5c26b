package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

func TestConformance(t *testing.T) { conformance.Run(t, harness("file", openPlace)) }

// TestConformanceOfADirectory is for logs in segments, so small that every case
// has many.
func TestConformanceOfADirectory(t *testing.T) {
	conformance.Run(t, harness("file (directory)", openSegmentedLocation))
}

func harness(name string, open func(testing.TB, conformance.Plan) *conformance.Place) conformance.Harness {
	return conformance.Harness{
		Name:    name,
		Backend: "file",
		Open:    open,
		Without: []conformance.Part{
			conformance.Connection, conformance.Restart, conformance.Denial, conformance.Deleting, conformance.Fencing,
		},
		Groups:    conformance.Dealt,
		Pauses:    true,
		OneWriter: true,
		Precision: time.Millisecond,
		EmptyKeys: true,
		Largest:   MaxRecordBytes,
		Highest:   streamer.SeqUint(1<<64 - 1),
		Bad: func(r streamer.Record) streamer.Record {
			r.Time = time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC)
			return r
		},
		SecretURI: func(secret string) string {
			return "file://user:" + url.QueryEscape(secret) + "@/tmp/log.ss/orders"
		},
	}
}

// site is the log of one case.
type site struct {
	testing.TB
	config Config
	shards atomic.Uint64
}

func openPlace(t testing.TB, plan conformance.Plan) *conformance.Place {
	return openPlaceOf(t, plan, Config{Path: filepath.Join(t.TempDir(), "log.ss"), Shards: plan.Shards, Beacon: 4 << 10}, "")
}

func openSegmentedLocation(t testing.TB, plan conformance.Plan) *conformance.Place {
	return openPlaceOf(t, plan, Config{Path: filepath.Join(t.TempDir(), "log"), Shards: plan.Shards, Beacon: 1 << 10, Segment: 3 << 10}, "&segment=3KiB")
}

func openPlaceOf(t testing.TB, plan conformance.Plan, c Config, options string) *conformance.Place {
	p := &site{TB: t, config: c}
	p.shards.Store(uint64(plan.Shards))
	made := &conformance.Place{Connect: p.connect, Faults: p.faults()}
	for i := range plan.Streams {
		made.Streams = append(made.Streams, fmt.Sprintf("stream-%d", i))
		p.create(made.Streams[i])
	}
	made.URI = fmt.Sprintf("file://%s/%s?shards=%d%s", p.config.Path, made.Streams[0], plan.Shards, options)
	return made
}

func (p *site) connect(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
	return Connect(ctx, p.config, o)
}

func (p *site) faults() conformance.Faults {
	return conformance.Faults{
		Trim:     p.trim,
		AddShard: func(string) streamer.ShardID { return streamer.ShardID(p.shards.Add(1) - 1) },
		Poison:   p.poison,
		Delete:   func(string) { p.must(os.RemoveAll(p.config.Path)) },
		Create:   p.create,
		Always: func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
			c := p.config
			c.Create = streamer.CreateAlways
			return Connect(ctx, c, o)
		},
		DropGroup: func(_, name string) {
			dir := filepath.Join(group.Dir(p.config.Path), group.DirName(name))
			for os.RemoveAll(dir) != nil { // its members may be making it again
			}
		},
		WrongType: func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, string, error) {
			path := filepath.Join(p.TempDir(), "notes.ss")
			p.must(os.WriteFile(path, bytes.Repeat([]byte("some notes\n"), 100), 0o644))
			s, err := Connect(ctx, Config{Path: path}, o)
			return s, "notes", err
		},
		Missing: func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, string, error) {
			s, err := Connect(ctx, Config{Path: filepath.Join(p.TempDir(), "missing.ss")}, o)
			return s, "missing", err
		},
	}
}

func (p *site) create(stream string) {
	s, err := p.connect(context.Background(), streamer.StreamerOptions{})
	p.must(err)
	p.must(s.Admin().Create(context.Background(), stream, int(p.shards.Load())))
	p.must(s.Close())
}

// poison appends a message whose payload is damaged.
func (p *site) poison(at streamer.StreamShard) streamer.StreamShard {
	b, err := newBackend(p.config)
	p.must(err)
	defer b.Close(context.Background())
	l := b.(*backend).log
	w, err := l.openWriter(&p.config)
	p.must(err)
	w.mu.Lock()
	_, err = w.write(&p.config, b.(*backend).location, func() error {
		seq, _ := w.file.Enc.NextSeq(at.Stream, uint64(at.Shard))
		w.buf = w.file.Enc.Append(w.buf, at.Stream, uint64(at.Shard), seq, logfile.NowMillis(), []byte("spoiled"))
		w.buf[bytes.Index(w.buf, []byte("spoiled"))] = 'S'
		return nil
	})
	w.mu.Unlock()
	p.must(err)
	l.readers.notify()
	p.must(l.closeWriter(w, &p.config))
	return at
}

// trim rewrites the log without the first messages of a shard.
func (p *site) trim(at streamer.StreamShard, upTo streamer.SeqNo) {
	p.rewriteAll(func(f *ss.Frame) bool {
		return f.Shard == uint64(at.Shard) && f.Seq <= upTo.Uint() && (f.IsInternal() && f.Seq > 0 || string(f.Key) == at.Stream)
	})
}

// rewriteAll rewrites the log, in whatever form.
func (p *site) rewriteAll(drop func(*ss.Frame) bool) {
	paths := []string{p.config.Path}
	if p.config.Segment > 0 {
		all, err := logfile.ListSegments(p.config.Path)
		p.must(err)
		paths = nil
		for _, g := range all {
			paths = append(paths, filepath.Join(p.config.Path, logfile.SegmentName(g.Base)))
		}
	}
	for _, path := range paths {
		rewrite(p.TB, path, drop)
	}
}

// rewrite puts a copy of a log in its place, without the frames that drop says.
func rewrite(t testing.TB, path string, drop func(*ss.Frame) bool) {
	t.Helper()
	old, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	h, err := logfile.ReadHeader(old)
	if err != nil {
		t.Fatal(err)
	}
	e := ss.NewEncoder(h.Interval, ss.HeaderSize)
	b := e.Start(h.Append(nil))
	s := ss.NewScanner(old, h.Interval, ss.HeaderSize)
	for {
		f, err := s.Next()
		if errors.Is(err, ss.ErrMore) {
			if err := s.Fill(); errors.Is(err, io.EOF) {
				break
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !drop(&f) {
			b = e.Append(b, string(f.Key), f.Shard, f.Seq, f.Time, f.Payload)
		}
	}
	if err := os.WriteFile(path+".new", b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func (p *site) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}
