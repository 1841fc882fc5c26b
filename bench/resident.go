package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// residentWatch looks at the process's resident memory every few milliseconds,
// in a goroutine that stop joins.
type residentWatch struct {
	before, most int64
	quit, done   chan struct{}
}

// watchResident begins with as little as there can be. It is false where the
// system does not tell.
func watchResident() (*residentWatch, bool) {
	debug.FreeOSMemory()
	before, known := residentBytes()
	w := &residentWatch{before: before, most: before, quit: make(chan struct{}), done: make(chan struct{})}
	go w.watch()
	return w, known
}

func (w *residentWatch) watch() {
	defer close(w.done)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-w.quit:
			return
		case <-tick.C:
		}
		now, _ := residentBytes()
		w.most = max(w.most, now)
	}
}

// stop says how far the memory has grown at most.
func (w *residentWatch) stop() int64 {
	close(w.quit)
	<-w.done
	now, _ := residentBytes()
	return max(w.most, now) - w.before
}

// residentBytes is known where the system has a /proc like Linux's.
func residentBytes() (int64, bool) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}

// bytesRead is what the process's system calls have read so far, from wherever;
// known where the system has a /proc like Linux's.
func bytesRead() (int64, bool) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "rchar:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
