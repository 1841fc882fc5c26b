package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openPty returns both ends of a new terminal; what is written to the terminal
// is collected in screen until the test ends.
func openPty(t *testing.T, columns uint16) (terminal *os.File, screen *watched) {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(ptmx.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: columns}); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	screen = &watched{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(screen, ptmx) // ends with EIO when nobody has the terminal open
	}()
	t.Cleanup(func() {
		terminal.Close()
		<-done
		ptmx.Close()
	})
	return terminal, screen
}

func awaitMatch(t *testing.T, w *watched, pattern string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	eventually(t, pattern, func() bool { return re.MatchString(w.String()) })
}

func TestATerminalShowsProgressAndAPipeDoesNot(t *testing.T) {
	terminal, screen := openPty(t, 100)
	piped, pipedIn := fed(t, "relay", "stdio:///s", "stdio:///t")
	shown := prepare(t, "relay", "stdio:///s", "stdio:///t")
	shown.cmd.Stderr = terminal
	shownIn, err := shown.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	shown.begin()
	stop := feed(t, io.MultiWriter(pipedIn, shownIn))
	awaitMatch(t, screen, `\rrelay: [0-9,]+ messages, [0-9]+\.[0-9] MB, [0-9,]+/s`)
	stop()
	shown.signal(os.Interrupt)
	piped.signal(os.Interrupt)
	shown.wait()
	if r := piped.wait(); r.code != exitOK || strings.Contains(r.stderr, "\r") || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("%d: %q", r.code, r.stderr)
	}
	awaitMatch(t, screen, `\r +\rstreamer: relay: stopped by SIGINT: [0-9,]+ messages, .* stored`)
}

func TestProgressSaysTheTimeLeftWhereTheEndIsKnown(t *testing.T) {
	terminal, screen := openPty(t, 100)
	path := filepath.Join(t.TempDir(), "many")
	if err := os.WriteFile(path, []byte(numbers("a message of some length ", 1, 200_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	p := prepare(t, "produce", "stdio:///s")
	p.cmd.Stdin, p.cmd.Stderr, p.cmd.Stdout = in, terminal, nil
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.begin()
	// The output is read no faster than progress is shown.
	left := regexp.MustCompile(`\rproduce: [0-9,]+ messages, [0-9.]+ MB, [0-9,]+/s, [0-9.hms]+ left`)
	chunk := make([]byte, 8<<10)
	eventually(t, "the time left", func() bool {
		if _, err := out.Read(chunk); err != nil {
			t.Fatalf("%v; screen %q", err, screen.String())
		}
		return left.MatchString(screen.String())
	})
	io.Copy(io.Discard, out)
	if r := p.wait(); r.code != exitOK {
		t.Errorf("exit code %d", r.code)
	}
}

func TestProgressLeavesTheOutputOnTheSameTerminalAlone(t *testing.T) {
	terminal, seen := openPty(t, 30)
	s := newScreen(terminal, terminal)
	s.show("consume: 1 message, and more than fits into thirty columns")
	io.WriteString(s.stdout, "one\ntw")
	s.show("consume: 2 messages")
	io.WriteString(s.stdout, "o\n")
	s.show("consume: 3")
	io.WriteString(s, "streamer: note\n")
	s.show("")
	io.WriteString(s.stdout, "end\n")
	seen.await(t, "end\r\n")
	first := "consume: 1 message, and more "
	blank := strings.Repeat(" ", len(first))
	want := "\r" + first + "\r" + blank + "\r" + "one\r\ntw" + "o\r\n" +
		"\rconsume: 3" + "\r          \r" + "streamer: note\r\n" + "\rconsume: 3" + "\r          \r" + "end\r\n"
	if got := seen.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
