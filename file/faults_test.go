package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// attempt is one record and what its receipt said.
type attempt struct {
	value string
	meta  streamer.Meta
	err   error
}

// attempts opens producers one after another and sends with each. Nothing in
// it fails the test: what fails is in the result.
func (r *rig) attempts(sessions int) (all []attempt, opened []error) {
	return r.attemptsOf(sessions, 40)
}

// attemptsOf sends records of up to several times size.
func (r *rig) attemptsOf(sessions, size int) (all []attempt, opened []error) {
	for range sessions {
		s := r.connect()
		p, err := s.Producer(r.ctx, streamer.ProducerOptions{Stream: "a"})
		opened = append(opened, err)
		for turn := range 4 {
			if err != nil {
				break
			}
			first := len(all)
			var receipts []*streamer.Receipt
			for i := range 3 {
				v := fmt.Sprint("value ", len(all), strings.Repeat("x", 4*size*turn*i))
				all = append(all, attempt{value: v})
				receipts = append(receipts, p.Send(r.ctx, streamer.Record{Key: []byte("k")[:i%2], Value: []byte(v)}))
			}
			for i, receipt := range receipts {
				a := &all[first+i]
				a.meta, a.err = receipt.Wait(r.ctx)
			}
		}
		_ = s.Close()
	}
	return all, opened
}

// promises checks what receipts said against the log.
func (r *rig) promises(what string, all []attempt, unknownToo bool) {
	r.Helper()
	at := map[string]streamer.SeqNo{}
	for _, m := range r.all("a") {
		if _, twice := at[string(m.Value)]; twice {
			r.Fatalf("%s: %q is there twice", what, m.Value)
		}
		at[string(m.Value)] = m.Seq
	}
	for _, a := range all {
		seq, there := at[a.value]
		switch {
		case a.err == nil && (!there || seq != a.meta.Seq):
			r.Fatalf("%s: %.12q was stored as %v, and is there: %v as %v", what, a.value, a.meta.Seq, there, seq)
		case a.err != nil && there && !unknownToo && !errors.Is(a.err, streamer.ErrUnknown):
			r.Fatalf("%s: %.12q is there, and its receipt says %v", what, a.value, a.err)
		}
	}
}

// TestEveryStepOfAWriterMayFail fails each thing that a writer does with its
// file, once or from then on, with and without a partial effect. Every receipt
// tells the truth, what was there stays, and when the disk is well again the
// log is.
func TestEveryStepOfAWriterMayFail(t *testing.T) {
	for _, policy := range []time.Duration{0, SyncAlways} {
		for _, fault := range []*failingDisk{
			{err: syscall.ENOSPC, times: 1},
			{err: syscall.ENOSPC, times: 1 << 30},
			{err: syscall.EIO, times: 1, effect: true},
			{err: syscall.EIO, times: 2},
			{err: syscall.EIO, times: 1 << 30, effect: true},
		} {
			name := fmt.Sprintf("sync=%d/%v/%d/%v", policy, fault.err, fault.times, fault.effect)
			t.Run(name, func(t *testing.T) { failEach(t, policy, fault) })
		}
	}
}

func failEach(t *testing.T, policy time.Duration, fault *failingDisk) {
	rnd := rand.New(rand.NewPCG(1, 2))
	failEachStep(t, fault, 20, func(d *failingDisk) (*rig, func(string)) {
		r := newRig(t, func(c *Config) { c.Sync, c.Beacon = policy, 1<<10 })
		lift := r.install(d)
		all, opened := r.attempts(2)
		lift()
		return r, func(what string) {
			for _, err := range append(opened, errorsOf(all)...) {
				saysWhy(t, what, err, fault.err)
			}
			r.promises(what, all, false)
			image := d.crash(rnd, r.read())
			r.produce("a", "afterwards")
			r.sound(what)
			if policy == SyncAlways {
				r.write(image)
				r.promises(what+" and the power goes off", all, true)
				r.produce("a", "afterwards")
				r.promises(what+" and the power was off", all, true)
			}
		}
	})
}

// failEachStep has a writer do the same on a disk that fails first at its first
// step, then at its second, until it is through before any fails, which is not
// before so many steps. check gets a name for the step that failed.
func failEachStep(t *testing.T, fault *failingDisk, steps int, write func(*failingDisk) (r *rig, check func(what string))) {
	for from := 1; ; from++ {
		d := &failingDisk{err: fault.err, times: fault.times, effect: fault.effect, from: from}
		r, check := write(d)
		if len(d.failed) == 0 {
			if from < steps {
				t.Errorf("a writer did %d things only", from)
			}
			return
		}
		check(fmt.Sprintf("step %d, %s", from, d.failed[0]))
		r.cancel()
	}
}

// saysWhy fails when an error, if it is one, does not have its cause.
func saysWhy(t *testing.T, what string, err, cause error) {
	t.Helper()
	if err != nil && !errors.Is(err, cause) {
		t.Errorf("%s: the error does not say why: %v", what, err)
	}
	if err != nil && cause == syscall.ENOSPC && !errors.Is(err, ErrFull) && !errors.Is(err, ErrDead) {
		t.Errorf("%s: %v is not of a kind", what, err)
	}
}

func errorsOf(all []attempt) (errs []error) {
	for _, a := range all {
		errs = append(errs, a.err)
	}
	return errs
}

// sound fails unless the log verifies, but for a torn end.
func (r *rig) sound(what string) {
	r.Helper()
	if report, found := r.verified(r.cfg.Path); len(found) > 0 || report.Unsummed > 0 || report.EndedInside > 0 {
		r.Fatalf("%s: %+v, %v", what, report, found)
	}
}

// TestAFullDiskTakesWhatFits: of the records of one write those are stored that
// were written whole, and say so; of the others nothing is left.
func TestAFullDiskTakesWhatFits(t *testing.T) {
	r := newRig(t)
	lf, err := logfile.OpenFile(r.cfg.Path, streamer.CreateAuto, 128, nil)
	r.ok(err)
	defer lf.Close()
	m := lf.Enc.Mark()
	var b []byte
	var ends []ss.Mark
	for seq := uint64(1); seq <= 12; seq++ {
		b = lf.Enc.Append(b, "a", 0, seq, 1, bytes.Repeat([]byte{'v'}, int(seq)*3))
		ends = append(ends, lf.Enc.Ended())
	}
	whole := bytes.Clone(b)
	lf.Enc.Rollback(m)
	for room := range whole {
		r.writesUpTo(room, ends, m)
	}
}

// writesUpTo writes what TestAFullDiskTakesWhatFits has made to a disk with
// room for so many bytes, then the rest: the log is as if the disk had not been
// full.
func (r *rig) writesUpTo(room int, ends []ss.Mark, m ss.Mark) {
	r.Helper()
	r.cfg.Path = fmt.Sprintf("%s.%d.ss", r.TempDir(), room)
	defer os.Remove(r.cfg.Path)
	full := true
	lf, err := logfile.OpenFile(r.cfg.Path, streamer.CreateAuto, 128, func(h logfile.Handle) logfile.Handle { return &narrow{h, int(m.Offset()) + room, &full} })
	r.ok(err)
	defer lf.Close()
	var whole int
	for next := uint64(1); next <= uint64(len(ends)); full = false {
		at := lf.Enc.Mark()
		var b []byte
		var these []ss.Mark
		for seq := next; seq <= uint64(len(ends)); seq++ {
			b = lf.Enc.Append(b, "a", 0, seq, 1, bytes.Repeat([]byte{'v'}, int(seq)*3))
			these = append(these, lf.Enc.Ended())
		}
		whole, err = lf.Store(at, b, these)
		next += uint64(whole)
		if full && (err == nil || lf.Written.Load() > m.Offset()+int64(room)) {
			r.Fatalf("room for %d: %v, %d bytes written", room, err, lf.Written.Load())
		}
	}
	r.ok(err)
	if got := frames(r, r.read()); len(got) != len(ends) || lf.Written.Load() != int64(len(r.read())) {
		r.Fatalf("room for %d: %q", room, got)
	}
	r.sound(fmt.Sprint("room for ", room))
}

// TestAfterAFailedFsyncTheLogIsDead until a producer is opened: no later fsync
// makes good what the system has dropped.
func TestAfterAFailedFsyncTheLogIsDead(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Sync = SyncAlways })
	d := &failingDisk{}
	r.install(d)
	s := r.connect()
	p := r.producer(s, "a")
	r.send(p, records("1")...)
	d.failNext("fsync")
	_, err := p.Send(r.ctx, records("2")[0]).Wait(r.ctx)
	r.is(err, streamer.ErrUnknown)
	r.is(err, ErrDead)
	r.same("failed steps", d.failed, []string{"fsync"})
	other := r.connect(func(c *Config) { c.Sync = 0 })
	for range 3 {
		_, err = p.Send(r.ctx, records("3")[0]).Wait(r.ctx)
		r.is(err, ErrDead)
	}
	q := r.producer(other, "a") // opens it again
	r.send(q, records("4")...)
	_, err = p.Send(r.ctx, records("5")[0]).Wait(r.ctx)
	r.is(err, ErrDead)
	r.is(p.Close(), ErrDead)
	r.send(q, records("6")...)
	r.same("messages", values(r.all("a")), []string{"1", "2", "4", "6"})
}

// TestReopeningADeadLogWritesItAgain: pages that the system takes for written
// and that the disk does not have are written once more before anything is
// promised.
func TestReopeningADeadLogWritesItAgain(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Sync = SyncAlways })
	d := &failingDisk{}
	r.install(d)
	p := r.producer(r.connect(), "a")
	r.send(p, records("1")...)
	end := int64(len(r.read()))
	d.failNext("fsync")
	_, err := p.Send(r.ctx, records("2")[0]).Wait(r.ctx)
	r.is(err, ErrDead)
	l, err := logs.acquire(r.cfg.Path, r.cfg.Segment > 0)
	r.ok(err)
	defer logs.release(l)
	var again []int64
	l.under = func(h logfile.Handle) logfile.Handle { return &noting{h, &again} }
	q := r.producer(r.connect(), "a")
	if len(again) == 0 || again[0] != end {
		t.Errorf("written when the log was opened again: at %v, want from %d on", again, end)
	}
	r.send(q, records("3")...)
	r.same("messages", values(r.all("a")), numbers(1, 4))
}

// TestOneFsyncServesAllThatWait: while an fsync is under way others write, and
// one more serves them all, whether they share a producer or not.
func TestOneFsyncServesAllThatWait(t *testing.T) {
	const senders = 64
	for _, producers := range []int{1, senders} {
		t.Run(fmt.Sprint(producers, " producers"), func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Sync = SyncAlways })
			d := &failingDisk{}
			r.install(d)
			var all []streamer.Producer
			for range producers {
				all = append(all, r.producer(r.connect(), "a"))
			}
			opening, first := d.fsyncs, make(chan struct{})
			d.onSync = sync.OnceFunc(func() { <-first })
			var receipts []*streamer.Receipt
			for i := range senders {
				receipts = append(receipts, all[i%producers].Send(r.ctx, records(fmt.Sprint(i))[0]))
			}
			r.await("the others to write", func() bool {
				n := len(frames(r, r.read()))
				return n == senders || producers == 1 && n > 0
			})
			close(first)
			for _, receipt := range receipts {
				_, err := receipt.Wait(r.ctx)
				r.ok(err)
			}
			if n := d.fsyncs - opening; n > 3 {
				t.Errorf("%d fsyncs for %d receipts", n, senders)
			}
		})
	}
}

// TestASyncThatFailsInTheBackground is the end of the log too, and Close says
// it: its receipts could not.
func TestASyncThatFailsInTheBackground(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Sync = time.Millisecond })
	d := &failingDisk{}
	r.install(d)
	p := r.producer(r.connect(), "a")
	d.failNext("fsync")
	r.send(p, records("1")...)
	r.await("the log to die", func() bool {
		_, err := p.Send(r.ctx, records("2")[0]).Wait(r.ctx)
		return errors.Is(err, ErrDead)
	})
	r.is(p.Close(), ErrDead)
}

// TestCutOffUnderAReaderThatDoesNotFollow: the end of what is left is not the
// end of the log.
func TestCutOffUnderAReaderThatDoesNotFollow(t *testing.T) {
	r := newRig(t, func(c *Config) { c.NoFollow = true })
	r.produce("a", numbers(0, 20000)...)
	c := r.consumer(r.connect(), streamer.ConsumerOptions{AutoReset: streamer.Earliest, MaxInFlight: 10, Prefetch: 10}, "a")
	r.next(c)
	r.ok(os.Truncate(r.cfg.Path, 1000))
	for {
		_, err := c.Next(r.ctx)
		if err == nil {
			continue
		}
		if err == io.EOF {
			t.Fatal("io.EOF in a log that was cut off")
		}
		r.is(err, streamer.ErrNotFound)
		return
	}
}
