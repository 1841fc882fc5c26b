package file

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// log is what the process knows of the rig's log, for the time of the test.
func (r *rig) log() *openLog {
	r.Helper()
	l, err := logs.acquire(r.cfg.Path, r.cfg.Segment > 0)
	r.ok(err)
	r.Cleanup(func() { logs.release(l) })
	return l
}

// withoutNotices has the file system tell nothing.
func (r *rig) withoutNotices() {
	r.log().readers.newWatcher = func() (*fsnotify.Watcher, error) { return nil, errors.New("no more watches") }
}

// source opens one on a stream, from its beginning.
func (r *rig) source(stream string) *source {
	r.Helper()
	b, err := newBackend(r.cfg)
	r.ok(err)
	src, err := b.OpenSource(r.ctx, sourceConfig(stream))
	r.ok(err)
	r.Cleanup(func() {
		r.ok(src.Close(context.Background()))
		r.ok(b.Close(context.Background()))
	})
	return src.(*source)
}

// elsewhere opens the log to write as another process does: it wakes no
// reader here.
func (r *rig) elsewhere() *logfile.File {
	r.Helper()
	open := logfile.OpenFile
	if r.cfg.Segment > 0 {
		open = logfile.OpenSegments
	}
	lf, err := open(r.cfg.Path, streamer.CreateAuto, 1<<10, nil)
	r.ok(err)
	return lf
}

// appendTo stores a message of shard 0.
func appendTo(lf *logfile.File, stream, value string) error {
	seq, _ := lf.Enc.NextSeq(stream, 0)
	m := lf.Enc.Mark()
	return lf.Put(m, lf.Enc.Append(nil, stream, 0, seq, logfile.NowMillis(), []byte(value)))
}

// TestReadersThatOnlyPoll: where the file system sends no notices, or a watcher
// cannot be had, what other processes write is read all the same.
func TestReadersThatOnlyPoll(t *testing.T) {
	for name, newWatcher := range map[string]func() (*fsnotify.Watcher, error){
		"no watcher": func() (*fsnotify.Watcher, error) { return nil, errors.New("no more watches") },
		"nothing to be watched": func() (*fsnotify.Watcher, error) {
			w, err := fsnotify.NewWatcher()
			return w, errors.Join(err, w.Close())
		},
	} {
		for form, newRig := range map[string]func(*testing.T, ...func(*Config)) *rig{"file": newRig, "directory": newSegmented} {
			t.Run(name+", "+form, func(t *testing.T) {
				r := newRig(t)
				r.log().readers.newWatcher = newWatcher
				r.produce("a", "0")
				src := r.source("a")
				if src.watched {
					t.Error("the source relies on a watcher")
				}
				lf := r.elsewhere()
				go func() {
					for _, v := range numbers(1, 40) {
						if lf.Dir != "" && lf.Full(1<<10, 0) {
							lf, _ = lf.Successor()
						}
						_ = appendTo(lf, "a", v)
					}
					_ = lf.Close()
				}() // ends by itself, before what it has written is read
				var got []string
				for len(got) < 40 {
					r.ok(src.Fetch(r.ctx, func(ms []streamer.Message) {
						for _, m := range ms {
							got = append(got, string(m.Value))
						}
					}))
				}
				r.same("messages", got, numbers(0, 40))
			})
		}
	}
}

// TestOthersWritesWakeReaders: by the file system's notice, also of a log that
// took the place of one that was removed.
func TestOthersWritesWakeReaders(t *testing.T) {
	for form, newRig := range map[string]func(*testing.T, ...func(*Config)) *rig{"file": newRig, "directory": newSegmented} {
		t.Run(form, func(t *testing.T) {
			r := newRig(t)
			l := r.log()
			wake, watched := l.readers.follow(l.path, l.segmented)
			defer l.readers.unfollow(wake)
			if !watched {
				t.Fatal("nothing is watched")
			}
			for range 3 {
				lf := r.elsewhere()
				for range 20 {
					r.ok(appendTo(lf, "a", "1"))
					select {
					case <-wake:
					case <-r.ctx.Done():
						t.Fatal("no notice of a write")
					}
				}
				r.ok(lf.Close())
				r.removeLog()
			}
		})
	}
}

// TestOwnWritesWakeReadersOnce: the file system's notices of them come later.
func TestOwnWritesWakeReadersOnce(t *testing.T) {
	r := newRig(t)
	l := r.log()
	write := fsnotify.Event{Name: l.path, Op: fsnotify.Write}
	heeded := func() bool { return l.readers.concerns(write, l.path) }
	if !heeded() {
		t.Error("without a writer, others write")
	}
	s := r.connect()
	p, q := r.producer(s, "a"), r.producer(s, "a")
	r.ok(p.Close())
	if heeded() {
		t.Error("a write of our own")
	}
	for _, op := range []fsnotify.Op{fsnotify.Create, fsnotify.Remove, fsnotify.Rename, fsnotify.Write | fsnotify.Remove} {
		if !l.readers.concerns(fsnotify.Event{Name: l.path, Op: op}, l.path) {
			t.Errorf("%v is not a write", op)
		}
	}
	r.ok(q.Close())
	if !heeded() {
		t.Error("the last producer has closed, others may write")
	}
}

// countedReads counts the reads of a log's header, of which a reader that looks
// whether the log has changed needs one.
type countedReads struct {
	logfile.Handle
	n *atomic.Int64
}

func (c countedReads) ReadAt(p []byte, off int64) (int, error) {
	if off == 0 && len(p) == ss.HeaderSize {
		c.n.Add(1)
	}
	return c.Handle.ReadAt(p, off)
}

// countLooks counts how often readers look at the log from now on.
func (r *rig) countLooks() *atomic.Int64 {
	n := new(atomic.Int64)
	r.log().under = func(h logfile.Handle) logfile.Handle { return countedReads{h, n} }
	return n
}

// TestIdleReadersThatPoll look four times a second, more often only at first.
func TestIdleReadersThatPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.withoutNotices()
		r.produce("a", "1")
		looks := r.countLooks()
		src := r.source("a")
		r.ok(src.Fetch(r.ctx, func([]streamer.Message) {}))
		looks.Store(0)
		ctx, cancel := context.WithTimeout(r.ctx, 10*time.Second)
		defer cancel()
		r.is(src.Fetch(ctx, nil), context.DeadlineExceeded)
		if n := looks.Load(); n < 40 || n > 50 {
			t.Errorf("%d looks in ten seconds", n)
		}
	})
}

// TestIdleReadersThatAreTold look about once a second.
func TestIdleReadersThatAreTold(t *testing.T) {
	r := newRig(t)
	r.produce("a", "1")
	looks := r.countLooks()
	src := r.source("a")
	r.ok(src.Fetch(r.ctx, func([]streamer.Message) {}))
	looks.Store(0)
	start := time.Now()
	ctx, cancel := context.WithCancel(r.ctx)
	ended := make(chan error)
	go func() { ended <- src.Fetch(ctx, nil) }()
	r.await("two looks", func() bool { return looks.Load() >= 2 })
	cancel()
	r.is(<-ended, context.Canceled)
	if n, most := looks.Load(), 2+int64(time.Since(start)/pollWatched); n > most {
		t.Errorf("%d looks in %v", n, time.Since(start))
	}
}

// TestReadersLeaveNothingBehind: whether they are notified or poll, the last
// one takes the watcher along.
func TestReadersLeaveNothingBehind(t *testing.T) {
	r := newRig(t)
	r.produce("a", "1")
	l := r.log()
	for range 50 {
		var all []streamer.Streamer
		for range 4 {
			s := r.connect()
			r.next(r.consumer(s, earliest(), "a"))
			all = append(all, s)
		}
		for _, s := range all {
			r.ok(s.Close())
		}
		if l.readers.watcher != nil || l.readers.following != 0 || len(l.readers.wake) != 0 {
			t.Fatalf("%d readers, watcher %v", l.readers.following, l.readers.watcher)
		}
	}
}
