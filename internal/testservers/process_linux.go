package testservers

import "syscall"

// diesWithParent makes the kernel kill the program when the thread that started
// it ends. The runtime ends a thread before the process only for a goroutine
// that returns while locked to it, which no test of this module does.
func diesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
