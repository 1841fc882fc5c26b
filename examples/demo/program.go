package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// program is the workers' program as the demo sees it.
type program struct {
	cmd   *exec.Cmd
	stdin io.Closer
	facts chan fact // closed when the program has ended and everything it said is in here
	err   error     // set before facts is closed: something that is no fact was said
}

// start runs the workers' program in a process of its own.
func start(ctx context.Context, dir, leaver string) (*program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-work", "-dir", dir, "-leaver", leaver)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &program{cmd: cmd, stdin: stdin, facts: make(chan fact, 100)}
	go p.listen(stdout)
	return p, nil
}

// listen passes on what the program says; kill and finish wait for its end by draining facts.
func (p *program) listen(stdout io.Reader) {
	defer close(p.facts)
	for in := bufio.NewScanner(stdout); in.Scan(); {
		f, err := parseFact(in.Text())
		if err != nil {
			p.err = err
			return
		}
		p.facts <- f
	}
}

// kill ends the program as a power cut would: it gets no chance to tidy up. It returns what was still on the way.
func (p *program) kill() (rest shift, err error) {
	if err := p.cmd.Process.Kill(); err != nil {
		return nil, err
	}
	for f := range p.facts {
		rest = append(rest, f)
	}
	_ = p.cmd.Wait() // "signal: killed"
	return rest, p.err
}

// finish asks the program to end and waits until it has.
func (p *program) finish() (rest shift, err error) {
	if err := p.stdin.Close(); err != nil {
		return nil, err
	}
	for f := range p.facts {
		rest = append(rest, f)
	}
	if p.err != nil {
		return nil, p.err
	}
	if err := p.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("the workers' program: %w", err)
	}
	return rest, nil
}
