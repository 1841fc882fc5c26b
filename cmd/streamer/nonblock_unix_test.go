//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// blockingPipe is a pipe whose ends are blocking, as a shell's are.
func blockingPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		t.Fatal(err)
	}
	unix.CloseOnExec(fds[0])
	unix.CloseOnExec(fds[1])
	r, w = os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// unblock makes the descriptor non-blocking, for all processes that have it.
func unblock(t *testing.T, f *os.File) {
	t.Helper()
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Control(func(fd uintptr) {
		if err := unix.SetNonblock(int(fd), true); err != nil {
			t.Error(err)
		}
	})
}

// TestStandardInputMayBecomeNonBlocking while a command waits for it.
func TestStandardInputMayBecomeNonBlocking(t *testing.T) {
	for name, args := range map[string][]string{
		"produce": {"produce", "stdio:///s"},
		"consume": {"consume", "stdio:///s"},
		"relay":   {"relay", "stdio:///s", "stdio:///t"},
	} {
		t.Run(name, func(t *testing.T) {
			r, w := blockingPipe(t)
			p := prepare(t, args...)
			p.cmd.Stdin = r
			p.begin()
			for i := range 5 {
				text := fmt.Sprint("m", i)
				fmt.Fprintln(w, text)
				p.stdout.await(t, text)
				unblock(t, r)
			}
			w.Close()
			if got := p.wait(); got.code != exitOK || got.stderr != "" {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestStandardOutputMayBecomeNonBlocking while a command writes to it and its
// reader is slow.
func TestStandardOutputMayBecomeNonBlocking(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log.ss")
	here(t, numbers("m", 1, 100_000), "produce", "file://"+log+"/s").want(t, exitOK, "")
	from := "file://" + log + "/s?start=beginning&follow=false"
	for name, args := range map[string][]string{
		"consume":     {"consume", from},
		"file decode": {"file", "decode", log},
		"relay":       {"relay", from, "stdio:///s?format=json"},
	} {
		t.Run(name, func(t *testing.T) {
			r, w := blockingPipe(t)
			p := prepare(t, args...)
			p.cmd.Stdout = w
			p.begin()
			var out []byte
			for b := make([]byte, 512); ; { // less than is written meanwhile
				n, err := r.Read(b)
				out = append(out, b[:n]...)
				if len(out) == n { // it has begun
					unblock(t, w)
					w.Close()
				}
				if err != nil {
					break
				}
			}
			if got := p.wait(); got.code != exitOK || bytes.Count(out, []byte("\n")) < 100_000 {
				t.Errorf("%d lines, %+v", bytes.Count(out, []byte("\n")), got)
			}
		})
	}
}

// TestStandardErrorMayBecomeNonBlocking: no warning is lost, though there is no
// room for it at first.
func TestStandardErrorMayBecomeNonBlocking(t *testing.T) {
	r, w := blockingPipe(t)
	in, feed := blockingPipe(t)
	p := prepare(t, "produce", "file://"+filepath.Join(t.TempDir(), "log.ss")+"/s", "-i", "json")
	p.cmd.Stdin, p.cmd.Stderr = in, w
	p.begin()
	lines := bufio.NewReader(r)
	fmt.Fprintln(feed, "no JSON")
	if first, err := lines.ReadString('\n'); err != nil || !strings.Contains(first, "line 1") {
		t.Fatalf("%q, %v", first, err)
	}
	unblock(t, w)
	for {
		if _, err := w.Write([]byte("filler\n")); err != nil {
			break // it is full
		}
	}
	fmt.Fprintln(feed, "no JSON")
	feed.Close()
	w.Close()
	select { // one that drops the warning ends now
	case <-p.done:
	case <-time.After(200 * time.Millisecond):
	}
	out, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	p.wait()
	if !bytes.Contains(out, []byte("line 2")) {
		t.Errorf("the second warning is lost: %.100q … %.200q", out, out[max(0, len(out)-200):])
	}
}

// TestFileToolsRefuseWhatIsNoFile at once: a pipe would wait for a writer, and
// no signal ends that.
func TestFileToolsRefuseWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	fifo, link, socket := filepath.Join(dir, "fifo.ss"), filepath.Join(dir, "link.ss"), filepath.Join(dir, "socket.ss")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(fifo, link); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, path := range []string{fifo, link, socket, "/dev/zero", dir} {
		for _, args := range [][]string{
			{"file", "info", path}, {"file", "verify", path}, {"file", "decode", path}, {"file", "repair", path, filepath.Join(dir, "new.ss")},
			{"consume", "file://" + path + "/s?start=beginning"}, {"consume", "file://" + path + "/s?create=always"}, {"describe", "file://" + path + "/s"},
			{"consume", "file://" + path + "/s?segment=1MiB"}, {"lag", "file://" + path + "/s", "-g", "g"},
		} {
			t.Run(args[0]+" "+args[1]+" "+path, func(t *testing.T) {
				if args[0] != "file" && !strings.HasSuffix(path, ".ss") {
					return
				}
				got := start(t, nil, args...).wait()
				if got.code == exitOK || !strings.Contains(got.stderr, "not a regular file") && path != dir {
					t.Errorf("%+v", got)
				}
			})
		}
	}
	start(t, strings.NewReader("x\n"), "produce", "file://"+fifo+"/s").wait()
	if r := here(t, "", "file", "repair", sampleLog+"consumer.ss", fifo); r.code == exitOK {
		t.Errorf("repair wrote to a pipe: %+v", r)
	}
}
