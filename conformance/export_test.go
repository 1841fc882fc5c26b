package conformance

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// Judge runs the suite without failing a test. log is what the failed cases
// said.
func Judge(h Harness, leaksAllowed bool) (c Column, log string) {
	h.leaksAllowed = leaksAllowed
	var all transcript
	c, _ = judge(all.run(""), h)
	return c, all.String()
}

// transcript collects what the failed cases of a Judge said.
type transcript struct {
	mu sync.Mutex
	bytes.Buffer
}

func (all *transcript) run(prefix string) runner {
	return func(name string, body func(testing.TB, runner)) bool {
		r := &recorder{name: prefix + "/" + name}
		var cancel context.CancelFunc
		r.ctx, cancel = context.WithCancel(context.Background())
		r.Cleanup(cancel)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			defer r.finish()
			body(r, all.run(r.name))
		}()
		<-ended
		if r.Failed() && r.log.Len() > 0 {
			all.mu.Lock()
			defer all.mu.Unlock()
			fmt.Fprintf(all, "%s\n%s\n", r.name, r.log.String())
		}
		return true
	}
}

// recorder is a testing.TB whose failure stays its own.
type recorder struct {
	testing.TB // nil: for the method that only package testing can implement
	name       string
	ctx        context.Context

	mu       sync.Mutex
	failed   bool
	log      bytes.Buffer
	cleanups []func()
}

func (r *recorder) Name() string             { return "TestMutants" + r.name }
func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Log(args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintln(&r.log, args...)
}

func (r *recorder) Logf(format string, args ...any) { r.Log(fmt.Sprintf(format, args...)) }

func (r *recorder) Fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) FailNow()                          { r.Fail(); runtime.Goexit() }
func (r *recorder) Error(args ...any)                 { r.Log(args...); r.Fail() }
func (r *recorder) Errorf(format string, args ...any) { r.Logf(format, args...); r.Fail() }
func (r *recorder) Fatal(args ...any)                 { r.Log(args...); r.FailNow() }
func (r *recorder) Fatalf(format string, args ...any) { r.Logf(format, args...); r.FailNow() }

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

// finish runs the cleanups, last one first, the others also when one of them
// ends the goroutine.
func (r *recorder) finish() {
	r.mu.Lock()
	n := len(r.cleanups)
	if n == 0 {
		r.mu.Unlock()
		return
	}
	f := r.cleanups[n-1]
	r.cleanups = r.cleanups[:n-1]
	r.mu.Unlock()
	defer r.finish()
	f()
}
