package file

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/gostreamer/streamer"
)

// fullVariable says that this process is the child of TestOnAFullDisk, and
// where: "mount <dir>" or "limit <dir>".
const fullVariable = "STREAMER_FILE_FULL"

const tinyDisk = 2 << 20

// TestOnAFullDisk fills a file system of 2 MB of its own, in a namespace of its
// own; where the system does not give it one, the process's limit for the size
// of a file stands in.
func TestOnAFullDisk(t *testing.T) {
	verb, dir, _ := bytes.Cut([]byte(os.Getenv(fullVariable)), []byte(" "))
	switch string(verb) {
	case "mount":
		if err := syscall.Mount("tmpfs", string(dir), "tmpfs", 0, fmt.Sprint("size=", tinyDisk)); err != nil {
			t.Fatal(err)
		}
		fillDisk(t, string(dir), makeRoom)
		readOnlyDisk(t, string(dir))
	case "limit":
		limitFiles(t, tinyDisk)
		fillDisk(t, string(dir), func(t *testing.T, _ string) { limitFiles(t, 2*tinyDisk) })
	default:
		inNamespace(t)
	}
}

// inNamespace runs the test in a child.
func inNamespace(t *testing.T) {
	ids := func(id int) []syscall.SysProcIDMap { return []syscall.SysProcIDMap{{HostID: id, Size: 1}} }
	apart := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: ids(os.Getuid()), GidMappings: ids(os.Getgid()),
	}
	probe := exec.Command("/bin/true")
	probe.SysProcAttr = apart
	how := "mount"
	if err := probe.Run(); err != nil {
		how, apart = "limit", nil
	}
	child := exec.Command(os.Args[0], "-test.run=^TestOnAFullDisk$", "-test.v")
	child.SysProcAttr = apart
	child.Env = append(os.Environ(), fullVariable+"="+how+" "+t.TempDir())
	out, err := child.CombinedOutput()
	t.Logf("%s: %s", how, out)
	if err != nil {
		t.Fatal(err)
	}
}

func limitFiles(t *testing.T, size uint64) {
	t.Helper()
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: 2 * tinyDisk}); err != nil {
		t.Fatal(err)
	}
}

func makeRoom(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
		t.Fatal(err)
	}
}

// fillDisk stores until the disk is full, beyond that, and again when there is
// room. A consumer and a group follow.
func fillDisk(t *testing.T, dir string, room func(*testing.T, string)) {
	if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, tinyDisk/4), 0o644); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *Config) { c.Path, c.Beacon = filepath.Join(dir, "log.ss"), 4<<10 })
	s := r.connect()
	p := r.producer(s, "a")
	follower := r.consumer(s, earliest(), "a")
	group := r.consumer(s, resumable("g"), "a")
	var stored []string
	refused := r.fill(p, &stored)
	for _, err := range refused {
		r.is(err, ErrFull)
	}
	if len(refused) == 0 || len(stored) < 100 {
		t.Fatalf("%d stored, %d refused", len(stored), len(refused))
	}
	r.same("messages on the full disk", values(r.all("a")), stored)
	r.commitOnFullDisk(group)
	room(t, dir)
	for i := range 50 {
		v := fmt.Sprint("later ", i)
		m := r.send(p, records(v)...)
		stored = append(stored, v)
		if m[0].Seq != streamer.SeqUint(uint64(len(stored))) {
			t.Fatalf("number %v follows %d messages", m[0].Seq, len(stored)-1)
		}
	}
	r.expect(follower, stored...)
	r.ok(group.Commit(r.ctx))
	p.Close() // it reports those that were refused
	r.same("messages", values(r.all("a")), stored)
	r.sound("after a full disk")
	again := r.connect()
	r.same("the next one of the group", values(r.expect(r.consumer(again, resumable("h"), "a"), stored[0])), stored[:1])
	r.ok(again.Close())
	r.ok(s.Close())
}

// fill sends until 200 records were refused, and returns why. Those that are
// small find room where large ones did not.
func (r *rig) fill(p streamer.Producer, stored *[]string) (refused []error) {
	r.Helper()
	for i := 0; len(refused) < 200; i += 20 {
		var receipts []*streamer.Receipt
		var sent []string
		for j := range 20 {
			sent = append(sent, fmt.Sprint(i+j, " ", string(bytes.Repeat([]byte{'x'}, 100*(j+1)))))
			receipts = append(receipts, p.Send(r.ctx, streamer.Record{Key: []byte("k"), Value: []byte(sent[j])}))
		}
		for j, receipt := range receipts {
			if _, err := receipt.Wait(r.ctx); err != nil {
				refused = append(refused, err)
			} else {
				*stored = append(*stored, sent[j])
			}
		}
	}
	return refused
}

// commitOnFullDisk takes a message and commits it or is notified that it cannot
// be.
func (r *rig) commitOnFullDisk(c streamer.Consumer) {
	r.Helper()
	r.next(c).Ack()
	if err := c.Commit(r.ctx); err != nil && !errors.Is(err, ErrFull) {
		r.Fatalf("Commit on a full disk: %v", err)
	}
}

// readOnlyDisk: a log on a file system that is read-only can be read; a
// producer and a group are denied.
func readOnlyDisk(t *testing.T, dir string) {
	r := newRig(t, func(c *Config) { c.Path = filepath.Join(dir, "log.ss") })
	want := values(r.all("a"))
	r.ok(syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	r.same("messages", values(r.all("a")), want)
	s := r.connect()
	_, err := s.Producer(r.ctx, streamer.ProducerOptions{Stream: "a"})
	r.is(err, streamer.ErrDenied)
	o := resumable("another")
	o.Streams = []string{"a"}
	_, err = s.Consumer(r.ctx, o)
	r.is(err, streamer.ErrDenied)
	r.ok(s.Close())
}
