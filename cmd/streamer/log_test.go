package main

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestTheLibrarysLogIsTheProgramsOwnLines(t *testing.T) {
	var b strings.Builder
	log := slog.New(&logHandler{w: &b})
	log.Info("not shown")
	log.With("backend", "file", "group", "").WithGroup("shard").Warn("stalled", "id", 3, "err", errors.New("two\nlines"))
	slog.New(&logHandler{w: &b, verbose: true}).Info("connected")
	log.Error("lost")
	want := "streamer: warning: stalled backend=file shard.id=3 shard.err=\"two; lines\"\nstreamer: connected\nstreamer: error: lost\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
