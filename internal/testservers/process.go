package testservers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// patience is how long anything that takes a fraction of a second on an idle
// machine may take.
const patience = 30 * time.Second

// process is a running program. Its reaper is one goroutine, which kill joins.
type process struct {
	cmd    *exec.Cmd
	gone   chan struct{} // closed by the reaper
	killed bool          // by us
}

// start runs a program in dir, with its output appended to log.
func start(dir, log, path string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the program has its own
	p := &process{cmd: exec.Command(path, args...), gone: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, out, out
	p.cmd.SysProcAttr = diesWithParent()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.gone)
		_ = p.cmd.Wait()
	}()
	return p, nil
}

// kill ends the program without giving it a chance, and returns when the system
// has noticed. A second call does nothing.
func (p *process) kill() error {
	p.killed = p.killed || p.running()
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %d: %w", p.cmd.Process.Pid, err)
	}
	<-p.gone
	return nil
}

// terminate asks the program to end, and returns when it has.
func (p *process) terminate() error {
	p.killed = true
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.gone:
		return nil
	case <-time.After(patience):
		return errors.New("the program does not end")
	}
}

// crashed says that the program ended by itself.
func (p *process) crashed() bool { return !p.killed && !p.running() }

func (p *process) running() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}
