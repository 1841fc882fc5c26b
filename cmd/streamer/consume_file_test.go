package main

import (
	"bufio"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestTwoOwnersOfAGroupAndTwoWritersOfAFileAreBusy(t *testing.T) {
	log := fileLog(t) + "/s"
	there(t, "1\n", "produce", log).want(t, exitOK, "")
	owner := start(t, nil, "consume", log, "--mode=resumable", "--group=g", "--reset=earliest")
	owner.stdout.await(t, "1\n")
	there(t, "", "consume", log, "--mode=resumable", "--group=g").want(t, exitBusy, "", "in use by another process", "--group")
	writer, stdin := fed(t, "-v", "produce", log)
	stdin.Write([]byte("2\n"))
	owner.stdout.await(t, "2\n")
	there(t, "3\n", "produce", log).want(t, exitBusy, "", "in use by another process")
	writer.signal(syscall.SIGTERM)
	writer.wait().want(t, exitOK, "", "1 message")
	owner.signal(syscall.SIGTERM)
	owner.wait().want(t, exitOK, "1\n2\n", "2 acknowledged and committed")
}

// What a group's member printed is committed when it is stopped, and what it
// could not print is not.
func TestConsumeAcknowledgesWhatItWrote(t *testing.T) {
	const n = 100_000
	log := fileLog(t) + "/s"
	there(t, numbers("m", 1, n), "produce", log).want(t, exitOK, "")
	args := []string{"consume", log, "--mode=resumable", "--group=g", "--reset=earliest"}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := prepare(t, args...)
	p.cmd.Stdout = in
	p.begin()
	in.Close()
	printed := bufio.NewScanner(out)
	last := ""
	for i := 0; i < 1000 && printed.Scan(); i++ {
		last = printed.Text()
	}
	out.Close()
	p.wait().want(t, exitOK, "")
	rest := there(t, "", append(args, "--until-end")...)
	// The pipe took more than was read out of it: what comes now begins behind
	// what was written, which is behind what was read.
	first, _, _ := strings.Cut(rest.stdout, "\n")
	if last != "m1000" || rest.code != exitOK || !strings.HasSuffix(rest.stdout, "m100000\n") || !strings.HasSuffix(numbers("m", 1, n), rest.stdout) {
		t.Errorf("read up to %s; then exit code %d, from %s on: %s", last, rest.code, first, rest.stderr)
	}
}

func TestUntilEndEndsThoughTheStreamGrows(t *testing.T) {
	log := fileLog(t) + "/s"
	there(t, numbers("line ", 1, 1000), "produce", log).want(t, exitOK, "")
	writer, stdin := fed(t, "produce", log)
	stop := feed(t, stdin)
	for range 3 {
		r := there(t, "", "consume", log, "--until-end")
		if r.code != exitOK || !strings.HasPrefix(r.stdout, numbers("line ", 1, 1000)) {
			t.Errorf("exit code %d, %d bytes, %s", r.code, len(r.stdout), r.stderr)
		}
	}
	stop()
	writer.signal(syscall.SIGTERM)
	writer.wait()
}
