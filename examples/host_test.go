package examples_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// host is a process that runs examples inside itself; see testdata/host.go.
type host struct {
	*program
	commands io.WriteCloser

	mu       sync.Mutex // guards programs
	programs map[int]*program
}

// command and event are testdata/host.go's.
type command struct {
	ID      int
	Example string
	Args    []string
	Stop    bool
}

type event struct {
	ID       int
	Out, Log string
	Ended    bool
	Err      string
}

func startHost(t *testing.T) *host {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries(t), "host"))
	h := &host{
		program:  &program{name: "host", stdout: &output{}, stderr: &output{}, ended: make(chan struct{})},
		programs: map[int]*program{},
	}
	cmd.Stderr = h.stderr
	cmd.Env = environment()
	events, w := io.Pipe()
	cmd.Stdout = w
	commands, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.commands = commands
	run(t, cmd, h.program)
	var reading sync.WaitGroup
	reading.Go(func() { h.read(events) })
	t.Cleanup(reading.Wait) // after the next one, which ends it
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-h.ended
		_ = w.Close()
	})
	return h
}

// read hands the host's events to its programs until the pipe is closed.
func (h *host) read(events io.Reader) {
	for in := bufio.NewScanner(events); in.Scan(); {
		var e event
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			_, _ = h.stderr.Write(in.Bytes())
			continue
		}
		_, _ = io.WriteString(h.stderr, e.Log)
		p := h.byID(e.ID)
		if p == nil {
			continue
		}
		_, _ = io.WriteString(p.stdout, e.Out)
		if e.Ended {
			p.err = e.Err
			close(p.ended)
		}
	}
}

func (h *host) byID(id int) *program {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.programs[id]
}

// start runs an example inside the host.
func (h *host) start(t *testing.T, example string, args []string) *program {
	t.Helper()
	p := &program{name: example, stdout: &output{}, stderr: h.stderr, ended: make(chan struct{})}
	h.mu.Lock()
	id := len(h.programs) + 1
	h.programs[id] = p
	h.mu.Unlock()
	p.interrupt = func() error { return json.NewEncoder(h.commands).Encode(command{ID: id, Stop: true}) }
	if err := json.NewEncoder(h.commands).Encode(command{ID: id, Example: example, Args: args}); err != nil {
		t.Fatal(err)
	}
	return p
}

// writeOverlay presents each example as a package that the host can import, and
// returns the overlay's file name.
func writeOverlay(dir string) (string, error) {
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, name := range names() {
		source, err := os.ReadFile(filepath.Join(name, "main.go"))
		if err != nil {
			return "", err
		}
		text := strings.Replace(string(source), "\npackage main\n", "\npackage "+name+"\n", 1) + "\nvar Run = run\n"
		file := filepath.Join(dir, name+".go")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, "inprocess", name, "main.go")] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, overlay, 0o600)
}
