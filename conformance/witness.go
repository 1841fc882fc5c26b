package conformance

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync"

	"github.com/gostreamer/streamer"
)

// witness keeps what the programs of a case reported: hooks and log lines. Its
// methods may be called concurrently.
type witness struct {
	mu       sync.Mutex
	lines    bytes.Buffer
	fetched  []streamer.FetchEvent
	retries  []streamer.RetryEvent
	stalls   []streamer.StallEvent
	gone     []streamer.GoneEvent
	skipped  []streamer.SkipEvent
	commits  []streamer.CommitEvent
	assigned []streamer.AssignEvent
}

func (w *witness) hooks() streamer.Hooks {
	return streamer.Hooks{
		Fetched:   func(e streamer.FetchEvent) { note(w, &w.fetched, e) },
		Retrying:  func(e streamer.RetryEvent) { note(w, &w.retries, e) },
		Stalled:   func(e streamer.StallEvent) { note(w, &w.stalls, e) },
		Gone:      func(e streamer.GoneEvent) { note(w, &w.gone, e) },
		Skipped:   func(e streamer.SkipEvent) { note(w, &w.skipped, e) },
		Committed: func(e streamer.CommitEvent) { note(w, &w.commits, e) },
		Assigned:  func(e streamer.AssignEvent) { note(w, &w.assigned, e) },
	}
}

func note[E any](w *witness, list *[]E, e E) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*list = append(*list, e)
}

// told returns what was noted so far.
func told[E any](w *witness, list *[]E) []E {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]E(nil), *list...)
}

// handler takes every log line, of every level.
func (w *witness) handler() slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
}

// Write is the handler's sink.
func (w *witness) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lines.Write(line)
}

// log is everything that was logged, with a summary of the hooks.
func (w *witness) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("%d fetches, %d retries, %d stalls, %d gone, %d skipped, %d commits, %d assignments\n%s",
		len(w.fetched), len(w.retries), len(w.stalls), len(w.gone), len(w.skipped), len(w.commits), len(w.assigned), w.lines.String())
}
