package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// head runs the binary with stdin, reads one line of its output and closes the
// pipe, as head -1 does.
func head(t *testing.T, stdin *os.File, args ...string) (first string, r result) {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := prepare(t, args...)
	p.cmd.Stdin, p.cmd.Stdout = stdin, in
	p.begin()
	in.Close()
	first, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	out.Close()
	return first, p.wait()
}

func TestAClosedPipeEndsItQuietly(t *testing.T) {
	many := filepath.Join(t.TempDir(), "many")
	if err := os.WriteFile(many, []byte(numbers("m", 1, 200_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"consume": {"consume", "stdio:///s"},
		"produce": {"produce", "stdio:///s?format=json"},
		"relay":   {"relay", "stdio:///s", "stdio:///t?format=json"},
	} {
		t.Run(name, func(t *testing.T) {
			stdin, err := os.Open(many)
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			first, r := head(t, stdin, args...)
			if r.code != exitOK || r.stderr != "" || !strings.Contains(first, "m1") {
				t.Errorf("%q, then %+v", first, r)
			}
		})
	}
}

// What waits for a message does not write, and yet it ends.
func TestAClosedPipeEndsWhatWaits(t *testing.T) {
	for name, args := range map[string][]string{
		"consume": {"consume", "stdio:///s"},
		"produce": {"produce", "stdio:///s"},
		"relay":   {"relay", "stdio:///s", "stdio:///t"},
	} {
		t.Run(name, func(t *testing.T) {
			stdin, feed, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			defer feed.Close()
			feed.WriteString("one\n")
			if _, r := head(t, stdin, args...); r.code != exitOK || r.stderr != "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestAPipeClosedFromTheStartEndsAListQuietly(t *testing.T) {
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out.Close()
	defer in.Close()
	p := prepare(t, "version")
	p.cmd.Stdout = in
	p.begin()
	p.wait().want(t, exitOK, "")
}
