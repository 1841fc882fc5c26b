package examples_test

import (
	"bytes"
	"strings"
	"sync"
)

// output collects what a program writes.
type output struct {
	mu       sync.Mutex // guards everything below
	data     []byte
	newlines int
	wake     chan struct{} // closed by the next Write; nil when nobody waits
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.data = append(o.data, p...)
	o.newlines += bytes.Count(p, []byte("\n"))
	if o.wake != nil {
		close(o.wake)
		o.wake = nil
	}
	return len(p), nil
}

// changed is closed by the next Write.
func (o *output) changed() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.wake == nil {
		o.wake = make(chan struct{})
	}
	return o.wake
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.data)
}

func (o *output) contains(word string) bool { return strings.Contains(o.text(), word) }

// count is the number of complete lines.
func (o *output) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.newlines
}

// lines are the complete ones.
func (o *output) lines() []string {
	text := o.text()
	end := strings.LastIndexByte(text, '\n')
	if end < 0 {
		return nil
	}
	return strings.Split(text[:end], "\n")
}
