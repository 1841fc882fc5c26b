package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A time that the target cannot hold says nothing about the next one.
func TestProduceLeavesOutOnlyTheTimesThatTheTargetCannotHold(t *testing.T) {
	log := "file://" + filepath.Join(t.TempDir(), "log.ss") + "/s"
	lines := `{"time":"1950-01-01T00:00:00Z","value":"a"}
{"time":"2020-01-01T00:00:00Z","value":"b"}
{"time":"1930-01-01T00:00:00Z","value":"c"}
{"time":"2021-01-01T00:00:00Z","value":"d"}
`
	here(t, lines, "-v", "produce", "-i", "json", log).want(t, exitOK, "", "cannot keep the time", "4 messages", "2 without the time")
	got := here(t, "", "consume", log+"?start=beginning&follow=false", "-o", "json")
	for _, want := range []string{`"time":"2020-01-01T00:00:00Z","value":"b"`, `"time":"2021-01-01T00:00:00Z","value":"d"`} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%s\nwant %s", got.stdout, want)
		}
	}
}
