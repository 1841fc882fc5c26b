package wait_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer/internal/wait"
)

func TestBackoffDoublesBetweenItsBounds(t *testing.T) {
	b := wait.Backoff{First: 2, Last: 10}
	var got []time.Duration
	for _, asked := range []time.Duration{0, 0, 7, 0, 0, 0} {
		got = append(got, b.Next(asked))
	}
	b.Reset()
	got = append(got, b.Next(0))
	if want := []time.Duration{2, 4, 7, 8, 10, 10, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPauseEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if !wait.Pause(ctx, time.Millisecond) || wait.Pause(ctx, time.Hour) {
			t.Error("a pause does not say whether its context lasted")
		}
	})
}

func TestJoinDoesNotHangWithWhatItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		release := make(chan struct{})
		wait.Join(ctx, func() { <-release })
		close(release)
		if ctx.Err() == nil {
			t.Error("Join returned early")
		}
	})
}

func TestOneOfManyCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c wait.Closing
		if c.Begun() || !c.Begin() || c.Begin() || !c.Begun() {
			t.Fatal("not exactly one Begin is the first")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err, ended := c.Wait(ctx); err != nil || ended {
			t.Errorf("Wait = %v, %v before End", err, ended)
		}
		failed := errors.New("failed")
		time.AfterFunc(500*time.Millisecond, func() { _ = c.End(failed) })
		if err, ended := c.WaitLong(ctx); err != failed || !ended { //nolint:errorlint // the very error
			t.Errorf("WaitLong = %v, %v", err, ended)
		}
		if err, ended := c.Wait(ctx); err != failed || !ended { //nolint:errorlint // the very error
			t.Errorf("Wait = %v, %v after End", err, ended)
		}
	})
}
