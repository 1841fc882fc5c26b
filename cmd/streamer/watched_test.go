package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// watched collects output that a test looks at while it is written.
type watched struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// await waits until the output contains s.
func (w *watched) await(t *testing.T, s string) {
	t.Helper()
	eventually(t, s, func() bool { return strings.Contains(w.String(), s) })
}
