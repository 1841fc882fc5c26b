package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A whole program compiles; anything shorter is cut out of an example that a
// test runs.
func TestEveryPieceOfCodeIsRealCode(t *testing.T) {
	examples := sources(t, func(path string) bool {
		return path == "example_test.go" || strings.HasPrefix(path, "examples/") || strings.HasSuffix(path, "/example_test.go")
	})
	for path, page := range pages(t) {
		for _, block := range fenced(page, "go") {
			if strings.HasPrefix(block, "package main\n") {
				compile(t, path, block)
			} else if !cutOut(examples, block) {
				t.Errorf("%s: no example has\n%s", path, block)
			}
		}
	}
}

func cutOut(examples map[string]string, block string) bool {
	for _, text := range examples {
		if strings.Contains(flat(text), flat(block)) {
			return true
		}
	}
	return false
}

// flat is code without its indentation.
func flat(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

func compile(t *testing.T, path, program string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "vet", file)
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: the program does not compile: %v\n%s", path, err, text)
	}
}
