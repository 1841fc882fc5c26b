package testservers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// RedisOptions says what a test needs of a server. The zero value is a server that keeps everything in memory and lets everybody in.
type RedisOptions struct {
	AOF      bool     // every write is on disk before it is answered, so that Kill loses nothing
	Password string   // of the user "default"
	Users    []string // ACL rules of further users: "app on >secret ~orders* +@stream"
	TLS      TLS
	Config   []string // further lines of redis.conf

	sentinel bool // it is one, and Config says of whom
}

// RedisServer is a redis-server of the test that started it; it ends with that test. Its methods fail the test where they fail, and are called
// from the test's goroutine.
type RedisServer struct {
	Certificates *Certificates // nil without TLS

	t       testing.TB // nil while it is shared
	program Program
	options RedisOptions
	dir     string
	port    int
	process *process // the latest one
}

// StartRedis starts a server, or leaves the test out and returns nil.
func StartRedis(t testing.TB, o RedisOptions) *RedisServer {
	t.Helper()
	program, ok := redisFor(t, o.kind())
	if !ok {
		return nil
	}
	return startRedis(t, program, o)
}

// redisFor finds the program and notes what it is used for.
func redisFor(t testing.TB, kind string) (Program, bool) {
	t.Helper()
	program, err := FindRedis()
	if err != nil {
		leaveOut(t, err)
		return program, false
	}
	if err := testify("redis-server", program.Version, kind); err != nil {
		t.Fatal(err)
	}
	return program, true
}

func (o RedisOptions) kind() string {
	switch {
	case o.TLS != Plain:
		return "TLS"
	case o.Password != "" || len(o.Users) > 0:
		return "ACL"
	case o.AOF:
		return "AOF"
	}
	return "single"
}

func startRedis(t testing.TB, program Program, o RedisOptions) *RedisServer {
	t.Helper()
	s, err := launch(program, o)
	if err != nil {
		t.Fatal(err)
	}
	s.owned(t)
	return s
}

// owned makes the server end with a test, which fails if the server ended by itself.
func (s *RedisServer) owned(t testing.TB) {
	s.t = t
	t.Cleanup(func() {
		if s.process.crashed() {
			t.Errorf("redis-server on %s ended by itself", s.Addr())
		}
		if t.Failed() {
			t.Logf("what redis-server on %s logged last:\n%s", s.Addr(), s.log())
		}
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
}

// launch starts a server on a free port. Somebody else may take the port in between; then there is another try.
func launch(program Program, o RedisOptions) (*RedisServer, error) {
	var last error
	for range 5 {
		s := &RedisServer{program: program, options: o}
		if last = s.prepare(); last == nil {
			last = s.run()
		}
		if last == nil {
			return s, nil
		}
		last = errors.Join(last, s.remove())
		if !strings.Contains(last.Error(), "Address already in use") {
			break
		}
	}
	return nil, last
}

// run starts the program and waits until it answers.
func (s *RedisServer) run() error {
	args := []string{filepath.Join(s.dir, "redis.conf")}
	if s.options.sentinel {
		args = append(args, "--sentinel")
	}
	var err error
	if s.process, err = start(s.dir, filepath.Join(s.dir, "log"), s.program.Path, args...); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if _, err = s.Try("PING"); err == nil {
			return nil
		}
		if !s.process.running() {
			return fmt.Errorf("redis-server ended before it was ready:\n%s", s.log())
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("redis-server does not answer after %v: %w", patience, err)
		}
	}
}

// Addr is the server's address, the same after Restart.
func (s *RedisServer) Addr() string { return loopback(s.port) }

// Port is the port of Addr.
func (s *RedisServer) Port() int { return s.port }

// Kill ends the server with SIGKILL and returns when it is gone.
func (s *RedisServer) Kill() {
	s.t.Helper()
	s.must(s.process.kill())
}

// Restart starts the server that Kill ended, on its old port and with what it has on disk, and returns when it answers.
func (s *RedisServer) Restart() {
	s.t.Helper()
	s.must(s.process.kill())
	s.must(s.run())
}

// Suspend stops the server with SIGSTOP: connections stay, answers don't come.
func (s *RedisServer) Suspend() {
	s.t.Helper()
	s.must(s.process.suspend())
}

// Continue ends Suspend.
func (s *RedisServer) Continue() {
	s.t.Helper()
	s.must(s.process.continues())
}

// Do sends a command as the user "default" and returns the reply: a string, an int64, nil, or a []any of these.
func (s *RedisServer) Do(command ...string) any {
	s.t.Helper()
	reply, err := s.Try(command...)
	s.must(err)
	return reply
}

// Int is Do for a command whose reply is a number.
func (s *RedisServer) Int(command ...string) int {
	s.t.Helper()
	n, ok := s.Do(command...).(int64)
	if !ok {
		s.t.Fatalf("%q does not answer with a number", command)
	}
	return int(n)
}

// Try is Do for a command that may fail. It may be called concurrently.
func (s *RedisServer) Try(command ...string) (any, error) {
	var commands [][]string
	if s.options.Password != "" {
		commands = append(commands, []string{"AUTH", s.options.Password})
	}
	return call(s.Addr(), s.Certificates.client(), append(commands, command)...)
}

func (s *RedisServer) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("redis-server on %s: %v", s.Addr(), err)
	}
}

// remove ends the server and forgets its data.
func (s *RedisServer) remove() error {
	var err error
	if s.process != nil {
		err = s.process.kill()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// log is the end of what the server logged, and how it begins to tell of a crash.
func (s *RedisServer) log() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	const enough, crash = 1000, "Software Failure"
	if from := bytes.Index(text, []byte(crash)); from >= 0 {
		text = text[:min(len(text), from+enough)]
	}
	text = text[max(0, len(text)-enough):]
	_, lines, _ := bytes.Cut(text, []byte("\n"))
	return string(lines)
}

// field is one value of what INFO and CLUSTER INFO print.
func field(text any, name string) string {
	s, _ := text.(string)
	for line := range strings.Lines(s) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }
