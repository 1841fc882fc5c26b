//go:build unix

package testservers

import "syscall"

func (p *process) suspend() error   { return p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *process) continues() error { return p.cmd.Process.Signal(syscall.SIGCONT) }
