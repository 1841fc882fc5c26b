package file

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"go.uber.org/goleak"
)

const childVariable = "STREAMER_FILE_CHILD" // what a child process does: "write <path>", "read <path>", "share <path>", "tick <path>" or "soak <path>"

func TestMain(m *testing.M) {
	if errand, ok := os.LookupEnv(childVariable); ok {
		fmt.Println("error", runChild(errand))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// runChild does an errand until it is killed.
func runChild(errand string) error {
	verb, path, _ := strings.Cut(errand, " ")
	if verb == "soak" {
		return childSoaks(path)
	}
	s, err := Connect(context.Background(), Config{Path: path, Beacon: 1 << 10}, streamer.StreamerOptions{})
	if err != nil {
		return err
	}
	switch verb {
	case "write":
		return childWrites(s)
	case "tick":
		return childTicks(s)
	case "share":
		return childReads(s, balanced("g"))
	}
	return childReads(s, resumable("g"))
}

// childWrites stores numbers as fast as it can, some with a key, and prints
// each one that is stored.
func childWrites(s streamer.Streamer) error {
	ctx := context.Background()
	p, err := s.Producer(ctx, streamer.ProducerOptions{Stream: "a"})
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		rec := streamer.Record{Value: fmt.Append(nil, strings.Repeat("x", i%700), " ", i)}
		if i%3 == 0 {
			rec.Key = []byte("key")
		}
		p.Send(ctx, rec).OnDone(func(m streamer.Meta, err error) {
			if err != nil {
				fmt.Println("error", err)
			} else {
				fmt.Println("seq", m.Seq)
			}
		})
	}
}

// childReads takes messages one after another, commits each, and prints what
// it has committed.
func childReads(s streamer.Streamer, o streamer.ConsumerOptions) error {
	ctx := context.Background()
	o.Streams = []string{"a"}
	c, err := s.Consumer(ctx, o)
	if err != nil {
		return err
	}
	for {
		m, err := c.Next(ctx)
		if err != nil {
			return err
		}
		fmt.Println("got", m.Seq)
		m.Ack()
		if err := c.Commit(ctx); err != nil {
			return err
		}
		fmt.Println("seq", m.Seq)
	}
}

// killed runs a child until it has printed n numbers, kills it, and returns the
// last one of each word.
func (r *rig) killed(verb string, n int) map[string]uint64 {
	r.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childVariable+"="+verb+" "+r.cfg.Path)
	out, err := cmd.StdoutPipe()
	r.ok(err)
	r.ok(cmd.Start())
	watch := time.AfterFunc(hang, func() { _ = cmd.Process.Kill() })
	defer watch.Stop()
	last := map[string]uint64{}
	lines := bufio.NewScanner(out)
	for seen := 0; lines.Scan(); {
		word, number, _ := strings.Cut(lines.Text(), " ")
		if word == "error" {
			r.Fatalf("the child: %s", number)
		}
		v, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			continue // the kill cut a line
		}
		last[word] = v
		if seen++; seen == n {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	return last
}

// TestSIGKILLOfAWriter: what was reported as stored is there, the log can be
// written at once, and continues with the next number.
func TestSIGKILLOfAWriter(t *testing.T) {
	r := newRig(t)
	next := uint64(1)
	for turn := range 5 {
		stored := r.killed("write", 500+turn*777)["seq"]
		lf, err := logfile.OpenFile(r.cfg.Path, streamer.CreateNever, 1<<10, nil) // the lock is free
		r.ok(err)
		r.ok(lf.Close())
		ms := r.all("a")
		if uint64(len(ms)) < stored || stored < next {
			t.Fatalf("%d messages, %d were stored", len(ms), stored)
		}
		for i, m := range ms {
			if m.Seq != streamer.SeqUint(uint64(i+1)) || (m.Key != nil) != (keyed(m)) {
				t.Fatalf("message %d: seq %v, key %q, value %.20q", i, m.Seq, m.Key, m.Value)
			}
		}
		next = uint64(len(ms)) + 1
	}
	if len(r.skipped) > 0 {
		t.Errorf("skips: %v", r.skipped)
	}
}

// keyed reports whether the child gave a message a key.
func keyed(m *streamer.Message) bool {
	fields := strings.Fields(string(m.Value))
	n, err := strconv.Atoi(fields[len(fields)-1])
	return err == nil && n%3 == 0
}

// TestSIGKILLOfAReader: the group's place is free at once; it continues behind
// what was committed, and what was delivered and not committed is redelivered.
func TestSIGKILLOfAReader(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(1, 3000)...)
	committed := uint64(0)
	for range 4 {
		last := r.killed("read", 150)
		if last["seq"] < committed {
			t.Fatalf("committed %d, before that %d", last["seq"], committed)
		}
		s := r.connect()
		c := r.consumer(s, resumable("g"), "a")
		m := r.next(c)
		if got := m.Seq.Uint(); got != last["seq"]+1 && got != last["got"]+1 {
			t.Fatalf("committed %d, delivered %d, and %d comes next", last["seq"], last["got"], got)
		}
		committed = m.Seq.Uint() - 1
		r.ok(s.Close())
	}
}

// TestStandByForAKilledProcess: it continues at the first message that is not
// committed.
func TestStandByForAKilledProcess(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(1, 200_000)...)
	for range 5 {
		stop := r.child("share")
		s := r.apart()
		c := r.consumer(s, balanced("g"), "a")
		r.nothing(c)
		stop()
		dead := time.Now()
		m := r.next(c)
		took := time.Since(dead)
		cur, err := group.LoadCursor(r.cursorPath("g", "a", 0))
		r.ok(err)
		t.Logf("taken over at %v, after %v", m.Seq, took.Round(time.Millisecond))
		if m.Seq.Uint() != cur.Done+1 {
			t.Errorf("%d was committed, and %v comes next", cur.Done, m.Seq)
		}
		m.Ack()
		r.ok(s.Close())
	}
}

// TestSecondWritingProcessIsBusyAtOnce, whatever it calls the log; consumers of
// any process read on.
func TestSecondWritingProcessIsBusyAtOnce(t *testing.T) {
	r := newRig(t)
	dir := filepath.Dir(r.cfg.Path)
	r.ok(os.Symlink(dir, dir+"-link"))
	t.Chdir(dir)
	stop := r.child("write")
	r.ok(os.Link(r.cfg.Path, filepath.Join(dir, "hard.ss")))
	for _, path := range []string{r.cfg.Path, "log.ss", "../" + filepath.Base(dir) + "/log.ss", dir + "-link/log.ss", "hard.ss"} {
		s := r.connect(func(c *Config) { c.Path = path })
		_, err := s.Producer(r.ctx, streamer.ProducerOptions{Stream: "a"})
		r.is(err, streamer.ErrBusy)
		r.is(s.Admin().Create(r.ctx, "b", 1), streamer.ErrBusy)
		r.next(r.consumer(s, earliest(), "a"))
		r.ok(s.Close())
	}
	stop()
	r.produce("a", "free again")
}

// child starts a child and returns when it has printed its first number. stop
// kills it.
func (r *rig) child(verb string) (stop func()) {
	r.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childVariable+"="+verb+" "+r.cfg.Path)
	out, err := cmd.StdoutPipe()
	r.ok(err)
	r.ok(cmd.Start())
	drained := make(chan struct{})
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		<-drained
		_ = cmd.Wait()
	})
	r.Cleanup(stop)
	lines := bufio.NewScanner(out)
	if !lines.Scan() || strings.HasPrefix(lines.Text(), "error") {
		close(drained)
		r.Fatalf("the child: %s", lines.Text())
	}
	go func() { // ends with the child
		defer close(drained)
		for lines.Scan() {
		}
	}()
	return stop
}
