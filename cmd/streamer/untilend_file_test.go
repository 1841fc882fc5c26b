package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

// crowd stores one message in each of n streams, or of n shards of the stream
// s: more than the log's beacons name.
func crowd(t *testing.T, log string, n int, streams bool) {
	t.Helper()
	if !strings.HasSuffix(log, ".ss") {
		log += "/s?segment=16KiB"
	}
	s, err := streamer.Connect(t.Context(), option(log, "beacon=1KiB"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Producer(t.Context(), streamer.ProducerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		r := streamer.Record{Value: fmt.Append(nil, "m", i)}
		if r.Stream = fmt.Sprint("s", i); !streams {
			at := streamer.ShardID(i)
			r.Stream, r.Shard = "s", &at
		}
		p.Send(t.Context(), r)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// option adds one to a URI.
func option(uri, o string) string {
	if strings.Contains(uri, "?") {
		return uri + "&" + o
	}
	return uri + "?" + o
}

// TestUntilEndReadsStreamsThatBeaconsDoNotName: the end of the log is behind
// every message that it had at the start, in every mode, of consume and relay.
func TestUntilEndReadsStreamsThatBeaconsDoNotName(t *testing.T) {
	const n = 300
	for _, streams := range []string{"*", "s"} {
		for _, form := range []string{".ss", ""} {
			log := strings.TrimSuffix(fileLog(t), ".ss") + form
			crowd(t, log, n, streams == "*")
			from := log + "/" + streams
			for _, args := range [][]string{
				{"consume", from},
				{"consume", from, "--mode=resumable", "--group=r"},
				{"consume", from, "--mode=load-balanced", "--group=b"},
				{"consume", from + "?follow=false", "--mode=load-balanced", "--group=f"},
			} {
				r := here(t, "", append(args, "--until-end")...)
				if got := strings.Count(r.stdout, "\n"); r.code != exitOK || got != n {
					t.Errorf("%q: exit code %d, %d lines of %d, %s", args, r.code, got, n, r.stderr)
				}
			}
			for _, mode := range []string{"realtime", "resumable", "load-balanced"} {
				args := []string{"-v", "relay", from, fileLog(t) + "/copy", "--until-end", "--mode=" + mode}
				if mode == "load-balanced" {
					args = append(args, "--group=relay")
				}
				here(t, "", args...).want(t, exitOK, "", "relay: 300 messages")
			}
		}
	}
}
