package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheFirstProgramPrintsWhatThePageShows: what a reader pastes, builds and
// starts in an empty directory prints the block below it, and again when it is
// started again.
func TestTheFirstProgramPrintsWhatThePageShows(t *testing.T) {
	page := read(t, filepath.Join(root, "README.md"))
	program, rest, ok := strings.Cut(page, "\n```\n")
	_, program, found := strings.Cut(program, "```go\n")
	outputs := fenced(rest, "text")
	if !ok || !found || len(outputs) == 0 {
		t.Fatal("README.md does not begin with a program and what it prints")
	}
	binary := buildProgram(t, program)
	dir := t.TempDir()
	for _, run := range []string{"first", "second"} {
		cmd := exec.CommandContext(t.Context(), binary)
		cmd.Dir = dir
		var failures strings.Builder
		cmd.Stderr = &failures
		printed, err := cmd.Output()
		if err != nil || string(printed) != outputs[0]+"\n" || failures.Len() > 0 {
			t.Errorf("the %s run: %v, prints %q and %q; want %q", run, err, printed, failures.String(), outputs[0]+"\n")
		}
	}
}

// buildProgram builds a module of its own, as a reader's is.
func buildProgram(t *testing.T, program string) string {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	module := t.TempDir()
	binary := filepath.Join(module, "first.exe") // the suffix that Windows wants
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	required := strings.Replace(read(t, filepath.Join(root, "go.mod")), "module github.com/gostreamer/streamer", "module first", 1)
	write("main.go", program)
	write("go.mod", required+"\nrequire github.com/gostreamer/streamer v0.0.0\nreplace github.com/gostreamer/streamer => "+filepath.ToSlash(dir)+"\n")
	write("go.sum", read(t, filepath.Join(root, "go.sum")))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	cmd.Dir = module
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	return binary
}
