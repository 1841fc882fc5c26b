package group

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/gostreamer/streamer"
)

// TestALockIsFreeWhenItIsClosed, though a child that is being started has its
// file until it executes its program.
func TestALockIsFreeWhenItIsClosed(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log.ss")
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := streamer.StreamShard{Stream: "a", Shard: 3}
	g, other := New(log, "g", false), New(log, "g", false)
	ok(g.Lock(at))
	for _, f := range g.locks.files {
		child, err := syscall.Dup(int(f.Fd())) // of the same open file, as a child's
		ok(err)
		defer syscall.Close(child)
	}
	if err := other.Lock(at); !errors.Is(err, streamer.ErrBusy) {
		t.Fatalf("the lock is taken: %v", err)
	}
	ok(g.Unlock())
	ok(other.Lock(at))
	ok(other.Unlock())
}
