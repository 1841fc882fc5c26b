package file

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// fork is a rig whose path leads to one of two logs, old at first.
type fork struct {
	*rig
	old, other string // what the two logs are called themselves
	turn       func() // has the path lead to the other log
	back       func() // and back again; nil where that cannot be done
}

// forks are the ways in which a path comes to mean another file that both keep
// their own names.
var forks = map[string]func(*testing.T, *fork){
	"symlink": func(t *testing.T, f *fork) {
		f.cfg.Path = filepath.Join(t.TempDir(), "current.ss")
		f.leads(f.cfg.Path, f.old)
		f.turn = func() { f.leads(f.cfg.Path, f.other) }
		f.back = func() { f.leads(f.cfg.Path, f.old) }
	},
	"symlink of a directory above": func(t *testing.T, f *fork) {
		link := filepath.Join(t.TempDir(), "current")
		f.cfg.Path = filepath.Join(link, "log.ss")
		f.leads(link, filepath.Dir(f.old))
		f.turn = func() { f.leads(link, filepath.Dir(f.other)) }
		f.back = func() { f.leads(link, filepath.Dir(f.old)) }
	},
	"symlink to a symlink": func(t *testing.T, f *fork) {
		dir := t.TempDir()
		f.cfg.Path = filepath.Join(dir, "one.ss")
		f.leads(f.cfg.Path, "two.ss")
		two := filepath.Join(dir, "two.ss")
		f.leads(two, f.old)
		f.turn = func() { f.leads(two, f.other) }
		f.back = func() { f.leads(two, f.old) }
	},
	"hard link": func(t *testing.T, f *fork) {
		f.cfg.Path = filepath.Join(filepath.Dir(f.old), "hard.ss")
		f.ok(os.Link(f.old, f.cfg.Path))
		f.turn = func() { f.ok(os.Remove(f.cfg.Path)); f.ok(os.Link(f.other, f.cfg.Path)) }
	},
	"symlink of a directory of segments": func(t *testing.T, f *fork) {
		f.cfg.Segment = 4 << 10
		f.cfg.Path = filepath.Join(t.TempDir(), "current")
		f.old, f.other = strings.TrimSuffix(f.old, logfile.Suffix), strings.TrimSuffix(f.other, logfile.Suffix)
		f.leads(f.cfg.Path, f.old)
		f.turn = func() { f.leads(f.cfg.Path, f.other) }
		f.back = func() { f.leads(f.cfg.Path, f.old) }
	},
}

// leads has a symbolic link lead to a file, atomically.
func (r *rig) leads(link, to string) {
	r.Helper()
	r.ok(os.Symlink(to, link+".next"))
	r.ok(os.Rename(link+".next", link))
}

// eachFork runs a test for every way, on logs of which the old one has some
// messages.
func eachFork(t *testing.T, edit func(*Config), test func(f *fork)) {
	for name, prepare := range forks {
		t.Run(name, func(t *testing.T) {
			f := &fork{rig: newRig(t), old: filepath.Join(t.TempDir(), "log.ss"), other: filepath.Join(t.TempDir(), "log.ss")}
			edit(&f.cfg)
			prepareOld := func() { f.at(f.old, "a", numbers(0, 10)...) }
			if name == "hard link" {
				prepareOld()
			}
			prepare(t, f)
			if name != "hard link" {
				prepareOld()
			}
			test(f)
		})
	}
}

// at stores values in a log by its own name.
func (f *fork) at(path, stream string, values ...string) {
	f.Helper()
	s := f.connect(func(c *Config) { c.Path, c.Create = path, streamer.CreateAuto })
	f.send(f.producer(s, stream), records(values...)...)
	f.ok(s.Close())
}

// held is what a log has, by its own name.
func (f *fork) held(path string) []string {
	f.Helper()
	s := f.connect(func(c *Config) { c.Path, c.NoFollow = path, true })
	defer s.Close()
	c := f.consumer(s, earliest(), "a")
	var all []string
	for {
		m, err := c.Next(f.ctx)
		if err != nil {
			return all
		}
		all = append(all, string(m.Value))
	}
}

func modes() map[string]streamer.ConsumerOptions {
	return map[string]streamer.ConsumerOptions{"real-time": earliest(), "resumable": resumable("g"), "load-balanced": balanced("g")}
}

// TestAPathThatLeadsElsewhereEndsAConsumer, in every mode, when what it had is
// delivered.
func TestAPathThatLeadsElsewhereEndsAConsumer(t *testing.T) {
	for mode, o := range modes() {
		t.Run(mode, func(t *testing.T) {
			eachFork(t, func(*Config) {}, func(f *fork) {
				f.at(f.other, "a", "x")
				c := f.consumer(f.connect(), o, "a")
				f.expect(c, numbers(0, 10)...)
				f.turn()
				_, err := c.Next(f.ctx)
				f.is(err, streamer.ErrNotFound)
				if !strings.Contains(err.Error(), f.cfg.Path) {
					f.Errorf("the error does not name the path: %v", err)
				}
				again := f.connect(func(c *Config) { c.NoFollow = true })
				c = f.consumer(again, earliest(), "a")
				f.expect(c, "x")
				f.ends(c)
			})
		})
	}
}

// TestConsumersThatMakeLogsGoOnWhereThePathLeads, from the beginning of that
// log or, where the group has been there, behind what it has done.
func TestConsumersThatMakeLogsGoOnWhereThePathLeads(t *testing.T) {
	for mode, o := range modes() {
		t.Run(mode, func(t *testing.T) {
			eachFork(t, func(c *Config) { c.Create = streamer.CreateAlways }, func(f *fork) {
				f.at(f.other, "a", numbers(100, 110)...)
				s := f.connect()
				c := f.consumer(s, o, "a")
				for _, m := range f.expect(c, numbers(0, 10)...) {
					m.Ack()
				}
				f.ok(c.Commit(f.ctx))
				f.turn()
				for _, m := range f.expect(c, numbers(100, 110)...) {
					m.Ack()
				}
				f.ok(c.Commit(f.ctx))
				f.at(f.other, "a", "110")
				f.expect(c, "110")[0].Ack()
				f.ok(c.Commit(f.ctx))
				if f.back == nil {
					return
				}
				f.at(f.old, "a", "10")
				f.back()
				if o.Group == "" {
					f.expect(c, numbers(0, 11)...)
					return
				}
				f.expect(c, "10")[0].Ack()
				f.ok(s.Close())
				f.at(f.old, "a", "11")
				f.expect(f.consumer(f.connect(), o, "a"), "11")
			})
		})
	}
}

// TestAReceiptSaysStoredWhereThePathLeads, and nothing is left in the log that
// it does not lead to any more.
func TestAReceiptSaysStoredWhereThePathLeads(t *testing.T) {
	for _, create := range []streamer.Create{streamer.CreateAuto, streamer.CreateNever} {
		t.Run(fmt.Sprint(create), func(t *testing.T) {
			eachFork(t, func(*Config) {}, func(f *fork) {
				f.at(f.other, "a", "x")
				s := f.connect(func(c *Config) { c.Create = create })
				p := f.producer(s, "a")
				f.send(p, records("10")...)
				f.turn()
				m, err := p.Send(f.ctx, records("11")[0]).Wait(f.ctx)
				if create == streamer.CreateNever {
					f.is(err, streamer.ErrNotFound)
					f.same("the other log", f.held(f.other), []string{"x"})
				} else {
					f.ok(err)
					if m.Seq != streamer.SeqUint(2) {
						f.Errorf("number %v, want 2", m.Seq)
					}
					f.same("the other log", f.held(f.other), []string{"x", "11"})
				}
				f.same("the old log", f.held(f.old), numbers(0, 11))
				_ = s.Close()
			})
		})
	}
}

// TestProducersOfOneFileFollowTheirOwnPaths: one of them leads elsewhere, the
// other stays.
func TestProducersOfOneFileFollowTheirOwnPaths(t *testing.T) {
	eachFork(t, func(*Config) {}, func(f *fork) {
		f.at(f.other, "a", "x")
		p := f.producer(f.connect(), "a")
		q := f.producer(f.connect(func(c *Config) { c.Path = f.old }), "a")
		for i := range 3 {
			f.send(p, records(fmt.Sprint("p", i))...)
			f.send(q, records(fmt.Sprint("q", i))...)
			if i == 0 {
				f.turn()
			}
		}
		f.same("the old log", f.held(f.old)[10:], []string{"p0", "q0", "q1", "q2"})
		f.same("the other log", f.held(f.other), []string{"x", "p1", "p2"})
	})
}

// TestAHardLinkOutlivesTheNameThatTheLogWasOpenedBy.
func TestAHardLinkOutlivesTheNameThatTheLogWasOpenedBy(t *testing.T) {
	r := newRig(t)
	r.produce("a", "0")
	link := filepath.Join(filepath.Dir(r.cfg.Path), "hard.ss")
	r.ok(os.Link(r.cfg.Path, link))
	first := r.producer(r.connect(), "a")
	r.send(first, records("1")...)
	s := r.connect(func(c *Config) { c.Path = link })
	p, c := r.producer(s, "a"), r.consumer(s, earliest(), "a")
	r.expect(c, "0", "1")
	r.ok(os.Remove(r.cfg.Path))
	r.send(p, records("2")...)
	r.expect(c, "2")
	r.send(first, records("new")...)
	r.send(p, records("3")...)
	r.expect(c, "3")
	r.same("the log at the first name", values(r.all("a")), []string{"new"})
}

// TestADanglingSymlinkIsTheLogThatItLeadsTo: its group is found by every name
// of it.
func TestADanglingSymlinkIsTheLogThatItLeadsTo(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Create = streamer.CreateAlways })
	link := filepath.Join(t.TempDir(), "current.ss")
	r.leads(link, r.cfg.Path)
	s := r.connect(func(c *Config) { c.Path = link })
	c := r.consumer(s, resumable("g"), "a")
	r.produce("a", "1", "2")
	r.expect(c, "1")[0].Ack()
	r.ok(s.Close())
	r.expect(r.consumer(r.connect(), resumable("g"), "a"), "2")
}

// TestAnOpenStreamerFollowsItsPath: what is opened after the path was turned is
// opened where it leads.
func TestAnOpenStreamerFollowsItsPath(t *testing.T) {
	eachFork(t, func(*Config) {}, func(f *fork) {
		f.at(f.other, "a", "x")
		s := f.connect()
		f.turn()
		f.expect(f.consumer(s, earliest(), "a"), "x")
		f.expect(f.consumer(s, balanced("g"), "a"), "x")
		f.send(f.producer(s, "a"), records("y")...)
		f.same("the other log", f.held(f.other), []string{"x", "y"})
		groups, err := s.Admin().Groups(f.ctx, "a")
		f.ok(err)
		if len(groups) != 1 || groups[0].Members != 1 {
			f.Errorf("groups: %+v", groups)
		}
		f.ok(s.Admin().Create(f.ctx, "b", 1))
		f.same("the old log", f.held(f.old), numbers(0, 10))
	})
}

// TestASegmentThatIsReplacedIsNoticed: the directory is the same, its files are
// another log's.
func TestASegmentThatIsReplacedIsNoticed(t *testing.T) {
	r := newSegmented(t, func(c *Config) { c.Segment = 1 << 20 })
	other := newSegmented(t, func(c *Config) { c.Segment = 1 << 20 })
	r.produce("a", "0")
	other.produce("a", numbers(100, 200)...)
	c := r.consumer(r.connect(), earliest(), "a")
	r.expect(c, "0")
	r.ok(os.Rename(other.segments()[0], r.segments()[0]))
	_, err := c.Next(r.ctx)
	r.is(err, streamer.ErrNotFound)
}

// TestAWriterOfSegmentsKeepsOnlyItsOwnLock: when its lock file is removed,
// another process may write, and a receipt does not say stored beside that.
func TestAWriterOfSegmentsKeepsOnlyItsOwnLock(t *testing.T) {
	r := newSegmented(t)
	p := r.producer(r.connect(), "a")
	r.send(p, records("0")...)
	r.ok(os.Remove(filepath.Join(r.cfg.Path, logfile.SegmentsLock)))
	lf, err := logfile.OpenSegments(r.cfg.Path, streamer.CreateNever, 1<<10, nil) // as another process would
	r.ok(err)
	_, err = p.Send(r.ctx, records("1")[0]).Wait(r.ctx)
	r.is(err, streamer.ErrBusy)
	r.ok(lf.Close())
	r.send(p, records("2")...)
	r.same("messages", values(r.all("a")), []string{"0", "2"})
}

// TestASlowReaderOfAPathThatLeadsElsewhere comes to an end though the log that
// it reads grows on.
func TestASlowReaderOfAPathThatLeadsElsewhere(t *testing.T) {
	eachFork(t, func(*Config) {}, func(f *fork) {
		f.at(f.other, "a", "x")
		c := f.consumer(f.connect(), streamer.ConsumerOptions{AutoReset: streamer.Earliest, BufferBytes: 64 << 10, Prefetch: 1}, "a")
		f.next(c)
		p := f.producer(f.connect(func(c *Config) { c.Path = f.old }), "a")
		value := []byte(strings.Repeat("v", 256<<10))
		f.turn()
		for {
			for range 3 { // more than is read meanwhile
				p.Send(f.ctx, streamer.Record{Value: value})
			}
			f.ok(p.Flush(f.ctx))
			if _, err := c.Next(f.ctx); err != nil {
				f.is(err, streamer.ErrNotFound)
				return
			}
		}
	})
}

// TestALogThatIsWrittenAnewInPlaceIsNoticedInItsMiddle: nothing of the new one
// comes as if it were the old one's.
func TestALogThatIsWrittenAnewInPlaceIsNoticedInItsMiddle(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Beacon = 1 << 20 })
	long := strings.Repeat("v", 64<<10)
	var old []string
	for i := range 100 {
		old = append(old, fmt.Sprint("old ", i, long))
	}
	r.produce("a", old...)
	f := newForeign(1 << 20)
	for i := range 300 {
		f.send("a", fmt.Sprint("new ", i, long))
	}
	c := r.consumer(r.connect(), streamer.ConsumerOptions{AutoReset: streamer.Earliest, BufferBytes: 64 << 10, Prefetch: 1}, "a")
	r.next(c)
	r.write(f.b)
	for {
		m, err := c.Next(r.ctx)
		if err != nil {
			r.is(err, streamer.ErrNotFound)
			return
		}
		if !strings.HasPrefix(string(m.Value), "old ") {
			t.Fatalf("number %v is the new log's", m.Seq)
		}
	}
}

// TestWhatAFullWindowHeldUpIsReadThoughTheLogIsPutAway: the file is there as
// long as it is open.
func TestWhatAFullWindowHeldUpIsReadThoughTheLogIsPutAway(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(0, 500)...)
	o := resumable("g")
	o.MaxInFlight, o.Prefetch = 10, 10
	c := r.consumer(r.connect(), o, "a")
	held := r.expect(c, numbers(0, 10)...)
	r.ok(os.Rename(r.cfg.Path, r.cfg.Path+".old"))
	for i := 10; i < 500; i++ {
		held[0].Ack()
		held = append(held[1:], r.expect(c, fmt.Sprint(i))...)
	}
	for _, m := range held {
		m.Ack()
	}
	_, err := c.Next(r.ctx)
	r.is(err, streamer.ErrNotFound)
}
