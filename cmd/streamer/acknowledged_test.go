package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/memory"
)

var errDisk = errors.New("disk full")

// TestASummarySaysCommittedOnlyOfWhatIs: a commit that fails for good, whatever
// the kind, is in the summary and in the exit code.
func TestASummarySaysCommittedOnlyOfWhatIs(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code int
	}{
		"untyped": {errDisk, exitFailed},
		"fenced":  {fmt.Errorf("commit: %w", streamer.ErrFenced), exitBusy},
		"denied":  {fmt.Errorf("commit: %w", streamer.ErrDenied), exitDenied},
		"unknown": {fmt.Errorf("commit: %w", streamer.ErrUnknown), exitFailed},
	} {
		for _, mode := range []string{"--mode=resumable", "--mode=load-balanced"} {
			for command, args := range map[string][]string{
				"consume": {"consume", "memory://uncommitted/s", "-n5"},
				"relay":   {"relay", "memory://uncommitted/s", "memory://uncommitted/to", "--until-end"},
			} {
				t.Run(name+mode+"/"+command, func(t *testing.T) {
					drop(t, "uncommitted")
					here(t, numbers("m", 1, 5), "produce", "memory://uncommitted/s").want(t, exitOK, "")
					// The first position is committed before anything is read.
					memory.Open("uncommitted").Inject(memory.Fault{On: memory.Commit, Err: c.err})
					r := here(t, "", append(args, "-v", "--commit=never", "--reset=earliest", "--group=g", mode)...)
					if r.code != c.code || !strings.Contains(r.stderr, "5 acknowledged, but the last commit failed") || strings.Contains(r.stderr, "and committed") {
						t.Errorf("exit code %d, want %d: %s", r.code, c.code, r.stderr)
					}
				})
			}
		}
	}
}

// TestASummarySaysCommittedWhereItIs, as soon as the last commit has succeeded.
func TestASummarySaysCommittedWhereItIs(t *testing.T) {
	drop(t, "committed")
	here(t, numbers("m", 1, 5), "produce", "memory://committed/s").want(t, exitOK, "")
	memory.Open("committed").Inject(memory.Fault{On: memory.Commit, Times: 1, Err: errDisk, Transient: true})
	here(t, "", "-v", "consume", "memory://committed/s?group=g&reset=earliest&commit=never", "-n5").
		want(t, exitOK, numbers("m", 1, 5), "5 acknowledged and committed")
	here(t, "", "-v", "relay", "memory://committed/s", "memory://committed/to", "--until-end").
		want(t, exitOK, "", "5 acknowledged and committed")
}

// TestAPipeCommitsNothing, and the summary of a group on it does not say so.
func TestAPipeCommitsNothing(t *testing.T) {
	r := there(t, numbers("m", 1, 3), "-v", "consume", "stdio:///s?group=g")
	r.want(t, exitOK, numbers("m", 1, 3), "3 acknowledged\n")
}

// TestWhatMayBeStoredIsNotCountedAsFailed, nor as stored.
func TestWhatMayBeStoredIsNotCountedAsFailed(t *testing.T) {
	drop(t, "unknown")
	memory.Open("unknown").Inject(memory.Fault{On: memory.Write, Skip: 1, Times: 1, Err: streamer.ErrUnknown, Stored: true})
	d := &delivery{env: &env{err: newScreen(io.Discard, io.Discard), meter: newMeter()}}
	s, err := streamer.Connect(t.Context(), "memory://unknown/s")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if d.to, err = s.Producer(t.Context(), streamer.ProducerOptions{}); err != nil {
		t.Fatal(err)
	}
	d.records = &recorder{}
	d.giveUp = context.CancelCauseFunc(func(error) {})
	for i := range 3 {
		d.send(t.Context(), line{number: i + 1, text: []byte("v")})
	}
	_ = d.finish(nil)
	if got := d.summary(); got != "2 messages, 2 bytes stored, 1 may be stored or not" {
		t.Error(got)
	}
}

// TestWhatCreateMadeBeforeItFailedIsPrinted.
func TestWhatCreateMadeBeforeItFailedIsPrinted(t *testing.T) {
	drop(t, "half")
	here(t, "", "create", "memory://half/b").want(t, exitOK, "STREAM  SHARD  FIRST  NEXT  STATE\nb       0      0      0     open\n")
	here(t, "", "create", "memory://half/a,b").want(t, exitExists, "STREAM  SHARD  FIRST  NEXT  STATE\na       0      0      0     open\n", "exists")
}
