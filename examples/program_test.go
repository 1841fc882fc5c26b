package examples_test

import (
	"fmt"
	"testing"
	"time"
)

// hang is how long an example may stay silent before the test fails.
const hang = 60 * time.Second

// program is a running example.
type program struct {
	name      string
	endless   bool // it ends only when it is stopped
	interrupt func() error
	stdout    *output
	stderr    *output       // shared by the programs of one process
	ended     chan struct{} // closed when err is set
	err       string        // how it ended: empty for exit code 0
}

// stop asks the program to end; it is no fault if it has ended already.
func (p *program) stop(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	default:
		if err := p.interrupt(); err != nil {
			t.Logf("%s: interrupt: %v", p.name, err)
		}
	}
}

// end waits for the program and returns how it ended.
func (p *program) end(t *testing.T) string {
	t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(hang):
		t.Fatalf("%s: does not end after %d lines\n%s", p.name, p.stdout.count(), p.stderr.text())
		return ""
	}
}

// wait is end for a program that must end well.
func (p *program) wait(t *testing.T) {
	t.Helper()
	if err := p.end(t); err != "" {
		t.Fatalf("%s: %s", p.name, err)
	}
}

// finish lets the program end when it has printed n lines: at the end of its
// input or, where that has none, by a signal.
func (p *program) finish(t *testing.T, n int) {
	t.Helper()
	if p.endless {
		p.printed(t, n)
		p.stop(t)
	}
	p.wait(t)
}

func (p *program) lines() []string { return p.stdout.lines() }

// printed waits until the program has printed n lines.
func (p *program) printed(t *testing.T, n int) {
	t.Helper()
	p.until(t, fmt.Sprintf("%d lines", n), func() bool { return p.stdout.count() >= n })
}

// logged waits for a word in the program's log.
func (p *program) logged(t *testing.T, word string) {
	t.Helper()
	p.until(t, word, func() bool { return p.stderr.contains(word) })
}

// until waits for a condition that the program's output brings about.
func (p *program) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(hang)
	for {
		stdout, stderr := p.stdout.changed(), p.stderr.changed() // before ok looks, or a change is missed
		if ok() {
			return
		}
		select {
		case <-stdout:
		case <-stderr:
		case <-p.ended:
			if !ok() {
				t.Fatalf("%s: ended before %s; %d lines: %s", p.name, what, p.stdout.count(), p.err)
			}
		case <-deadline:
			t.Fatalf("%s: no %s; %d lines\n%s", p.name, what, p.stdout.count(), p.stderr.text())
		}
	}
}
