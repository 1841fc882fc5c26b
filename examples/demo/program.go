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
	did   stint     // what was heard of it
	err   error     // set before facts is closed: something that is no fact was said
}

// start runs the workers' program in a process of its own.
func start(ctx context.Context, dir, crew, leaver string) (*program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-work", "-dir", dir, "-crew", crew, "-leaver", leaver)
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

// listen passes on what the program says; kill and finish wait for its end by
// draining facts.
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

// kill ends the program as a power cut would: it gets no chance to tidy up.
func (p *program) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	p.drain()
	_ = p.cmd.Wait() // "signal: killed"
	return p.err
}

// finish asks the program to end and waits until it has.
func (p *program) finish() error {
	if err := p.stdin.Close(); err != nil {
		return err
	}
	p.drain()
	if p.err != nil {
		return p.err
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("the workers' program: %w", err)
	}
	return nil
}

// drain takes what is still on the way.
func (p *program) drain() {
	for f := range p.facts {
		p.did.shift = append(p.did.shift, f)
	}
}

// leaves counts the orders that a killed program was handed and that are not
// noted as done.
func (p *program) leaves(noted map[int]bool) {
	for id := range p.did.orders(got) {
		if !noted[id] {
			p.did.open++
		}
	}
}

// takenOver are the orders that the leaver held and another worker was handed
// later.
func (p *program) takenOver(leaver string) map[int]bool {
	over := map[int]bool{}
	theirs := p.did.orders(got, leaver)
	for _, f := range p.did.shift {
		if f.what == got && f.who != leaver && theirs[f.id] {
			over[f.id] = true
		}
	}
	return over
}
