package testservers

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// RedisOptions says what a test needs of a server. The zero value is a server
// that keeps everything in memory and admits all users.
type RedisOptions struct {
	AOF      bool     // every write is on disk before it is answered, so that Kill loses nothing
	Password string   // of the user "default"
	Users    []string // ACL rules of further users: "app on >secret ~orders* +@stream"
	TLS      TLS
	Config   []string // further lines of redis.conf

	sentinel     bool          // it is one, and Config says of whom
	certificates *Certificates // TLS: of another server, to be shared
}

// RedisServer is a redis-server of the test that started it; it ends with that
// test. Its methods fail the test where they fail, and are called from the
// test's goroutine.
type RedisServer struct {
	Certificates *Certificates // nil without TLS

	server
	program Program
	options RedisOptions
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

func redisFor(t testing.TB, kind string) (Program, bool) {
	t.Helper()
	return programFor(t, FindRedis, "redis-server", kind)
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

// launch starts a server on a free port.
func launch(program Program, o RedisOptions) (*RedisServer, error) {
	return onFreePorts(func() (*RedisServer, error) {
		s := &RedisServer{server: server{name: "redis-server"}, program: program, options: o}
		err := s.prepare()
		if err == nil {
			err = s.run()
		}
		return s, err
	})
}

// run starts the program and waits until it answers.
func (s *RedisServer) run() error {
	args := []string{filepath.Join(s.dir, "redis.conf")}
	if s.options.sentinel {
		args = append(args, "--sentinel")
	}
	if err := s.start(s.program.Path, args...); err != nil {
		return err
	}
	return s.await(func() error {
		_, err := s.Try("PING")
		return err
	})
}

// Restart starts the server that Kill ended, on its old port and with what it
// has on disk, and returns when it answers.
func (s *RedisServer) Restart() {
	s.t.Helper()
	s.must(s.process.kill())
	s.must(s.run())
}

// Do sends a command as the user "default" and returns the reply: a string, an
// int64, nil, or a []any of these.
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

// DoAndWait is Do for a write, and waits until so many replicas have it: on one
// connection, because WAIT says nothing of what others wrote.
func (s *RedisServer) DoAndWait(replicas int, command ...string) {
	s.t.Helper()
	have, err := s.call(command, []string{"WAIT", itoa(replicas), itoa(int(patience.Milliseconds()))})
	s.must(err)
	if n, ok := have.(int64); !ok || n < int64(replicas) {
		s.t.Fatalf("%v replicas have %q, not %d", have, command, replicas)
	}
}

// Try is Do for a command that may fail. It may be called concurrently.
func (s *RedisServer) Try(command ...string) (any, error) { return s.call(command) }

// call sends commands on a connection of their own and returns the last reply.
func (s *RedisServer) call(commands ...[]string) (any, error) {
	if s.options.Password != "" {
		commands = append([][]string{{"AUTH", s.options.Password}}, commands...)
	}
	return call(s.Addr(), s.Certificates.client(), commands...)
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
