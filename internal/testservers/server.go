package testservers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// server is a program with a directory and a port of its own. Its exported
// methods fail the test where they fail, and are called from the test's
// goroutine.
type server struct {
	t       testing.TB // nil while it is shared
	name    string     // of the program
	dir     string
	port    int
	process *process // the latest one
}

// Addr is the server's address, the same after Restart.
func (s *server) Addr() string { return loopback(s.port) }

// Port is the port of Addr.
func (s *server) Port() int { return s.port }

// Kill ends the server with SIGKILL and returns when it is gone.
func (s *server) Kill() {
	s.t.Helper()
	s.must(s.process.kill())
}

// Suspend stops the server with SIGSTOP: connections stay, answers don't come.
func (s *server) Suspend() {
	s.t.Helper()
	s.must(s.process.suspend())
}

// Continue ends Suspend.
func (s *server) Continue() {
	s.t.Helper()
	s.must(s.process.continues())
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s on %s: %v", s.name, s.Addr(), err)
	}
}

// owned makes the server end with a test, which fails if the server ended by
// itself.
func (s *server) owned(t testing.TB) {
	s.t = t
	t.Cleanup(func() {
		if s.process.crashed() {
			t.Errorf("%s on %s ended by itself", s.name, s.Addr())
		}
		if t.Failed() {
			t.Logf("what %s on %s logged last:\n%s", s.name, s.Addr(), s.log())
		}
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
}

// start starts a program in the server's directory.
func (s *server) start(path string, args ...string) (err error) {
	s.process, err = start(s.dir, filepath.Join(s.dir, "log"), path, args...)
	return err
}

// await waits until a question is answered.
func (s *server) await(ask func() error) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		err := ask()
		if err == nil {
			return nil
		}
		if !s.process.running() {
			return fmt.Errorf("%s ended before it was ready:\n%s", s.name, s.log())
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer after %v: %w", s.name, patience, err)
		}
	}
}

// remove ends the server and forgets its data.
func (s *server) remove() error {
	var err error
	if s.process != nil {
		err = s.process.kill()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// log is the end of what the server logged, and how it begins to tell of a
// crash.
func (s *server) log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	const enough, crash = 1000, "Software Failure"
	if from := bytes.Index(text, []byte(crash)); from >= 0 {
		text = text[:min(len(text), from+enough)]
	}
	text = text[max(0, len(text)-enough):]
	_, lines, _ := bytes.Cut(text, []byte("\n"))
	return string(lines)
}

// onFreePorts launches what listens on ports that were free a moment ago.
// Another process may take one in between; then there is another try.
func onFreePorts[S interface{ remove() error }](launch func() (S, error)) (S, error) {
	var none S
	var last error
	for range 5 {
		s, err := launch()
		if err == nil {
			return s, nil
		}
		last = errors.Join(err, s.remove())
		if !strings.Contains(last.Error(), "Address already in use") {
			break
		}
	}
	return none, last
}
