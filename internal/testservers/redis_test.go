package testservers

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTheSharedServerIsOne(t *testing.T) {
	addr := Redis(t)
	if addr == "" {
		return
	}
	if again := Redis(t); again != addr {
		t.Fatalf("%s, then %s", addr, again)
	}
	got, err := call(addr, nil, []string{"SET", "k", "v"}, []string{"GET", "k"})
	if err != nil {
		t.Fatal(err)
	}
	mustReply(t, "GET", got, "v")
}

func TestAServerWithAOFKeepsWhatItHasAcrossSIGKILL(t *testing.T) {
	s := StartRedis(t, RedisOptions{AOF: true})
	if s == nil {
		return
	}
	addr := s.Addr()
	s.Do("XADD", "s", "*", "msg", "one")
	s.Do("XGROUP", "CREATE", "s", "g", "0")
	s.Do("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
	s.Kill()
	if _, err := s.Try("PING"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("a killed server answers %v", err)
	}
	s.Kill() // a second time does nothing
	before := time.Now()
	s.Restart()
	t.Logf("answers again %v after it was told to start", time.Since(before))
	if s.Addr() != addr {
		t.Fatalf("was on %s, is on %s", addr, s.Addr())
	}
	mustReply(t, "XLEN", s.Int("XLEN", "s"), 1)
	pending := s.Do("XPENDING", "s", "g").([]any)
	mustReply(t, "XPENDING", pending[0], int64(1))
}

func TestASuspendedServerAnswersWhenItContinues(t *testing.T) {
	s := StartRedis(t, RedisOptions{})
	if s == nil {
		return
	}
	s.Suspend()
	answer := make(chan error)
	go func() {
		_, err := s.Try("PING")
		answer <- err
	}()
	select {
	case err := <-answer:
		t.Errorf("a suspended server answered: %v", err)
	case <-time.After(50 * time.Millisecond):
		s.Continue()
		if err := <-answer; err != nil {
			t.Error(err)
		}
	}
}

func TestUsersHaveTheRightsTheyAreGiven(t *testing.T) {
	s := StartRedis(t, RedisOptions{Password: "secret", Users: []string{"app on >pw ~orders* +@stream +@connection"}})
	if s == nil {
		return
	}
	as := func(commands ...[]string) string {
		_, err := call(s.Addr(), nil, commands...)
		if err == nil {
			return "OK"
		}
		_, text, _ := strings.Cut(err.Error(), ": ")
		word, _, _ := strings.Cut(text, " ")
		return word
	}
	add := func(key string) []string { return []string{"XADD", key, "*", "msg", "x"} }
	mustReply(t, "nobody", as(add("orders")), "NOAUTH")
	mustReply(t, "a wrong password", as([]string{"AUTH", "app", "no"}), "WRONGPASS")
	mustReply(t, "the user", as([]string{"AUTH", "app", "pw"}, add("orders:1")), "OK")
	mustReply(t, "the user elsewhere", as([]string{"AUTH", "app", "pw"}, add("other")), "NOPERM")
	mustReply(t, "the owner", s.Int("XLEN", "orders:1"), 1)
	s.Restart()
	mustReply(t, "the user after a restart", as([]string{"AUTH", "app", "pw"}, add("orders:1")), "OK")
}

func TestTLSIsWhatAClientMustSpeak(t *testing.T) {
	for name, mode := range map[string]TLS{"server": ServerOnly, "mutual": Mutual} {
		t.Run(name, func(t *testing.T) {
			s := StartRedis(t, RedisOptions{TLS: mode})
			if s == nil {
				return
			}
			mustReply(t, "PING", s.Do("PING"), "PONG")
			if _, err := call(s.Addr(), nil, []string{"PING"}); err == nil {
				t.Error("answers without TLS")
			}
			anonymous := s.Certificates.client().Clone()
			anonymous.Certificates = nil
			if _, err := call(s.Addr(), anonymous, []string{"PING"}); (err == nil) != (mode == ServerOnly) {
				t.Errorf("without a client certificate: %v", err)
			}
		})
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	program, err := FindRedis()
	if err != nil {
		leaveOut(t, err)
		return
	}
	_, err = launch(program, RedisOptions{Config: []string{"no-such-directive yes"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-directive") {
		t.Fatalf("error %v", err)
	}
}

func TestAMissingServerLeavesATestOutOrFailsIt(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	defer func(before map[string]int) { leftOut.count = before }(maps.Clone(leftOut.count)) // a recorder is no test
	for policy, fails := range map[string]bool{"": false, "required": true} {
		t.Setenv(policyVariable, policy)
		r := &recorder{TB: t}
		_, err := FindRedis()
		leaveOut(r, err)
		if r.failed != fails || err == nil || !strings.Contains(err.Error(), "make test installs it") {
			t.Errorf("%s=%s: failed %v, said %q", policyVariable, policy, r.failed, r.said)
		}
	}
}

func TestAnOldServerIsNotUsed(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho 'Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64 build=1'\n"
	if err := os.WriteFile(filepath.Join(dir, "redis-server"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	if _, err := FindRedis(); err == nil || !strings.Contains(err.Error(), "6.2.14") {
		t.Fatalf("error %v", err)
	}
}

func TestServersTestify(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(verdictsVariable, dir)
	s := StartRedis(t, RedisOptions{})
	if s == nil {
		return
	}
	present(t, s.Addr(), "HERE")
	text, err := os.ReadFile(filepath.Join(dir, "servers"))
	if err != nil {
		t.Fatal(err)
	}
	version := s.program.Version
	if want := "redis-server " + version + " (single)\nredis " + version + " (HERE)\n"; string(text) != want {
		t.Fatalf("testified %q, not %q", text, want)
	}
}
