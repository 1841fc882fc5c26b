//go:build !linux

package testservers

import "syscall"

// diesWithParent has nothing to offer here: a test process that is killed
// leaves its servers behind.
func diesWithParent() *syscall.SysProcAttr { return nil }
