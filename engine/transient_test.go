package engine

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
)

func TestTransientMarksAnErrorAndKeepsIt(t *testing.T) {
	err := driver.Transient(io.ErrUnexpectedEOF, 3*time.Second)
	if err.Error() != io.ErrUnexpectedEOF.Error() || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	for _, e := range []error{err, fmt.Errorf("read: %w", err), &streamer.Error{Err: err}} {
		if after, ok := boundary.RetryAfter(e); !ok || after != 3*time.Second {
			t.Errorf("%v: got %v, %v", e, after, ok)
		}
	}
	for _, e := range []error{nil, io.EOF, streamer.ErrThrottled, driver.Transient(nil, time.Second)} {
		if after, ok := boundary.RetryAfter(e); ok || after != 0 {
			t.Errorf("%v: got %v, %v", e, after, ok)
		}
	}
}
