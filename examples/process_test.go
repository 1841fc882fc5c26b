package examples_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"sync"
	"testing"
)

// startProcess runs an example as a process of its own, stdin and stdout
// redirected to the files in and out unless they are empty.
func startProcess(t *testing.T, example, in, out string, args []string) *program {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries(t), example), args...)
	p := &program{name: example, stdout: &output{}, stderr: &output{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	cmd.Env = environment()
	if in != "" {
		cmd.Stdin = open(t, in, os.O_RDONLY)
	}
	if out != "" {
		cmd.Stdout = open(t, out, os.O_WRONLY|os.O_CREATE|os.O_APPEND)
	}
	run(t, cmd, p)
	return p
}

// environment of an example: the race detector would let each process linger
// for a second.
func environment() []string { return append(os.Environ(), "GORACE=atexit_sleep_ms=0 halt_on_error=1") }

func open(t *testing.T, name string, flag int) *os.File {
	t.Helper()
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// run starts cmd and reports its end to p. The goroutine ends with the process,
// which the test's end kills.
func run(t *testing.T, cmd *exec.Cmd, p *program) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.interrupt = func() error {
		if err := cmd.Process.Signal(os.Interrupt); !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		return nil
	}
	go func() {
		defer close(p.ended)
		if err := cmd.Wait(); err != nil {
			p.err = err.Error() + "\n" + p.stderr.text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.ended
	})
}

// names of the eight examples: their directories.
func names() []string {
	set := make([]string, 0, len(scenarios))
	for _, s := range scenarios {
		set = append(set, s.example)
	}
	return set
}

// binaries is the directory of the built examples.
func binaries(t *testing.T) string {
	t.Helper()
	dir, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// buildOnce builds every example, and the host with all of them, once per test
// run. TestMain removes the directory.
var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "examples")
	if err != nil {
		return "", err
	}
	built = dir
	overlay, err := writeOverlay(dir)
	if err != nil {
		return "", err
	}
	var packages []string
	for _, name := range names() {
		packages = append(packages, "./"+name)
	}
	if err := build(dir+string(filepath.Separator), packages...); err != nil {
		return "", err
	}
	return dir, build(filepath.Join(dir, "host"), "-overlay", overlay, filepath.Join("testdata", "host.go"))
})

// built is the directory that TestMain removes.
var built string

func build(output string, args ...string) error {
	full := []string{"build", "-o", output}
	if raceDetector() {
		full = append(full, "-race")
	}
	cmd := exec.Command("go", append(full, args...)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, text)
	}
	return nil
}

// raceDetector says whether this test runs with it: then the examples do too.
func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}
