package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gostreamer/streamer/internal/nonblock"
	"golang.org/x/term"
)

// screen is standard error, and standard output where that is the same
// terminal. On a terminal it keeps one line, the progress, below whatever else
// is written. Its methods may be called concurrently.
type screen struct {
	stdout io.Writer // what a command prints to
	tty    *os.File  // standard error, when it is a terminal; else nil

	// mu is held across writes: keeping two writers of one terminal apart is
	// all it is for, and nothing that a stream depends on takes it.
	mu     sync.Mutex
	stderr io.Writer
	line   string // what is drawn below
	inLine bool   // the last write ended within a line, where nothing may be drawn
}

func newScreen(stderr, stdout io.Writer) *screen {
	s := &screen{stderr: waiting(stderr), stdout: output{waiting(stdout)}, tty: terminal(stderr)}
	if s.tty != nil && terminal(stdout) != nil {
		s.stdout = shared{s, s.stdout}
	}
	return s
}

// waiting is w, whose Writes wait though another process has made the
// descriptor non-blocking.
func waiting(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok {
		return nonblock.Writer(f, f)
	}
	return w
}

// terminal is w if it is a terminal, else nil.
func terminal(w io.Writer) *os.File {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return f
}

// Write writes to standard error.
func (s *screen) Write(p []byte) (int, error) { return s.write(s.stderr, p) }

// shared is another writer to the same terminal.
type shared struct {
	*screen
	w io.Writer
}

func (s shared) Write(p []byte) (int, error) { return s.write(s.w, p) }

func (s *screen) write(w io.Writer, p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.line
	s.draw("")
	n, err := w.Write(p)
	if len(p) > 0 {
		s.inLine = p[len(p)-1] != '\n'
	}
	s.draw(line)
	return n, err
}

// show replaces the line below; "" takes it away. It does nothing where there
// is no terminal.
func (s *screen) show(line string) {
	if s.tty == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draw(cut(line, s.width()-1)) // the last column would wrap
}

func (s *screen) draw(line string) {
	if s.inLine || line == s.line {
		return
	}
	// Blanks and not an escape sequence: they erase on every terminal there is.
	blank := strings.Repeat(" ", utf8.RuneCountInString(s.line))
	if line == "" {
		fmt.Fprint(s.stderr, "\r"+blank+"\r")
	} else {
		pad := max(0, len(blank)-utf8.RuneCountInString(line))
		fmt.Fprint(s.stderr, "\r"+line+blank[:pad])
	}
	s.line = line
}

func (s *screen) width() int {
	const usual = 80
	width, _, err := term.GetSize(int(s.tty.Fd()))
	if err != nil || width <= 0 {
		return usual
	}
	return width
}

func cut(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width])
}
