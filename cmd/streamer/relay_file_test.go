package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// fileLog is the URI of a log that does not exist yet.
func fileLog(t *testing.T) string {
	return "file://" + filepath.Join(t.TempDir(), "log.ss")
}

func size64(t *testing.T, uri string) int64 {
	info, err := os.Stat(strings.TrimPrefix(uri, "file://"))
	if err != nil {
		return 0
	}
	return info.Size()
}

// A relay that is killed again and again loses nothing, and what it stores
// twice is what it had not committed.
func TestRelayResumesAfterSIGKILLWithoutLoss(t *testing.T) {
	const n, kills = 30_000, 4
	a, b := fileLog(t), fileLog(t)
	there(t, numbers("m", 1, n), "produce", a+"/s").want(t, exitOK, "")
	args := []string{"-v", "relay", a + "/s", b + "/s", "--commit=20ms", "--window=100"}
	for i := range kills {
		before := size64(t, b)
		p := start(t, nil, args...)
		eventually(t, fmt.Sprintf("run %d to store something", i), func() bool { return size64(t, b) > before })
		p.signal(syscall.SIGKILL)
		p.wait()
	}
	there(t, "", append(args, "--until-end")...).want(t, exitOK, "")
	stored := strings.Fields(there(t, "", "consume", b+"/s", "--until-end").stdout)
	var first []string
	seen := make(map[string]bool)
	for _, m := range stored {
		if !seen[m] {
			seen[m] = true
			first = append(first, m)
		}
	}
	if want := strings.Fields(numbers("m", 1, n)); !slices.Equal(first, want) {
		t.Errorf("%d different messages of %d, or out of order", len(first), n)
	}
	t.Logf("%d of %d messages are stored twice", len(stored)-len(first), n)
	there(t, "", append(args, "--until-end")...).want(t, exitOK, "", "relay: 0 messages, 0 bytes stored")
}

func TestRelayFromAFileThroughAPipeIntoAFile(t *testing.T) {
	a, b := fileLog(t), fileLog(t)
	in := `{"key":"k","headers":[{"key":"h","value":"1"}],"value":"two\nlines"}` + "\n" + `{"value_base64":"/w=="}` + "\n"
	there(t, in, "produce", a+"/s", "-i", "json").want(t, exitOK, "")
	from := exec.Command(binary, "relay", a+"/s", "stdio:///s?format=json", "--until-end", "--group=g")
	pipe, err := from.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	to := prepare(t, "-v", "relay", "stdio:///s?format=json", b+"/s")
	to.cmd.Stdin = pipe
	if err := from.Start(); err != nil {
		t.Fatal(err)
	}
	to.begin()
	to.wait().want(t, exitOK, "", "relay: 2 messages")
	if err := from.Wait(); err != nil {
		t.Error(err)
	}
	want := there(t, "", "consume", a+"/s", "--until-end", "-o", "json").stdout
	there(t, "", "consume", b+"/s", "--until-end", "-o", "json").want(t, exitOK, want)
	there(t, "", "lag", a+"/s", "-g", "g").want(t, exitOK, "STREAM  SHARD  GROUP  BEHIND  TIME\ns       0      g      0       0s\n")
}

func TestRelayOfWhatIsNotThereMakesNoTarget(t *testing.T) {
	a, b := fileLog(t), fileLog(t)
	there(t, "", "relay", a+"/s", b+"/s").want(t, exitNotFound, "", "not found")
	if _, err := os.Stat(strings.TrimPrefix(b, "file://")); !os.IsNotExist(err) {
		t.Errorf("the target exists: %v", err)
	}
}

func TestRelayFollowsUntilASignalAndCommits(t *testing.T) {
	a, b := fileLog(t), fileLog(t)
	there(t, "1\n2\n", "produce", a+"/s").want(t, exitOK, "")
	p := start(t, nil, "relay", a+"/s", b+"/s", "--commit=never")
	eventually(t, "two messages", func() bool {
		return there(t, "", "consume", b+"/s", "--until-end", "--create=always").stdout == "1\n2\n"
	})
	there(t, "3\n", "produce", a+"/s").want(t, exitOK, "")
	eventually(t, "the third", func() bool { return there(t, "", "consume", b+"/s", "--until-end").stdout == "1\n2\n3\n" })
	p.signal(syscall.SIGTERM)
	p.wait().want(t, exitOK, "", "relay: stopped by SIGTERM: 3 messages, 3 bytes stored, 3 acknowledged")
	there(t, "", "-v", "relay", a+"/s", b+"/s", "--until-end").want(t, exitOK, "", "relay: 0 messages")
}
