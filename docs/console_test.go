package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Console sessions in the pages are run: what follows "$ " by bash, in an empty
// directory per page, with bin/ in the PATH. What is printed must be what the
// page shows. There "…" stands for anything on the line or, on a line of its
// own, for any lines; two spaces or more stand for as many as a column needs. A
// command that may fail ends with "; echo $?".
func TestEveryConsoleSessionIsReal(t *testing.T) {
	bin := build(t)
	for path, page := range pages(t) {
		sessions := fenced(page, "console")
		if len(sessions) == 0 {
			continue
		}
		t.Run(path, func(t *testing.T) {
			dir := t.TempDir()
			for _, session := range sessions {
				play(t, dir, bin, session)
			}
		})
	}
}

func build(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", bin+string(filepath.Separator), "./cmd/...", "./examples/...")
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	return bin
}

// play runs one session, command by command.
func play(t *testing.T, dir, bin, session string) {
	t.Helper()
	for _, part := range strings.Split("\n"+session, "\n$ ")[1:] {
		command, want, _ := strings.Cut(part, "\n")
		cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+string(filepath.ListSeparator)+bin)
		text, err := cmd.CombinedOutput()
		if err != nil && !strings.Contains(command, "; echo $?") {
			t.Errorf("$ %s: %v", command, err)
		}
		if got := strings.TrimRight(string(text), "\n"); !matches(want, got) {
			t.Errorf("$ %s\nprints\n%s\nand not\n%s", command, got, want)
		}
	}
}

func matches(want, got string) bool {
	pattern := "\n" + regexp.QuoteMeta(strings.TrimRight(want, "\n")) + "\n"
	pattern = strings.ReplaceAll(pattern, "\n…\n", "\n(?:.*\n)*")
	pattern = strings.ReplaceAll(pattern, "…", ".*")
	pattern = regexp.MustCompile(" {2,}").ReplaceAllString(pattern, " {2,}")
	return regexp.MustCompile("^" + pattern + "$").MatchString("\n" + got + "\n")
}
