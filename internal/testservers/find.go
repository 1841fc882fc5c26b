package testservers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	policyVariable = "STREAMER_SERVERS" // "required": a missing server fails the test
	oldestRedis    = 7                  // the first whose entry ids may be half given, and that forgets deleted pending entries
)

// Program is an executable that was found.
type Program struct {
	Path    string
	Version string // "7.0.15"
}

// FindRedis looks for a redis-server that is new enough, first in PATH, then in
// the cache.
func FindRedis() (Program, error) {
	return find("redis-server", "--version", redisVersion, oldestRedis, "redis-server", filepath.Join(CacheDir(), "redis-server", "redis-server"))
}

var redisVersion = regexp.MustCompile(`v=(\d+\.\d+\.\d+)`)

// find is the first program in paths whose major version is not too old. The
// program tells its version when it is given a flag.
func find(name, flag string, version *regexp.Regexp, oldest int, paths ...string) (Program, error) {
	unfit := fmt.Errorf("%s not found (make test installs it)", name)
	for _, path := range paths {
		path, err := exec.LookPath(path)
		if err != nil {
			continue
		}
		p, err := ask(path, flag, version)
		if err == nil && p.major() < oldest {
			err = fmt.Errorf("%s is version %s, the tests need %d or later", path, p.Version, oldest)
		}
		if err == nil {
			return p, nil
		}
		unfit = err
	}
	return Program{}, unfit
}

// ask runs a program that says which version it is.
func ask(path, flag string, version *regexp.Regexp) (Program, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, flag)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Program{}, fmt.Errorf("%s %s: %w", path, flag, err)
	}
	found := version.FindSubmatch(out)
	if found == nil {
		return Program{}, fmt.Errorf("%s %s does not say which: %q", path, flag, out)
	}
	return Program{Path: path, Version: string(found[1])}, nil
}

func (p Program) major() int {
	major, _, _ := strings.Cut(p.Version, ".")
	n, _ := strconv.Atoi(major) // of digits, or none: too old
	return n
}

// CacheDir is where installed programs are kept:
// $XDG_CACHE_HOME/streamer-testservers, or what the platform has instead.
func CacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "streamer-testservers")
}

// programFor finds a program and notes what it is used for.
func programFor(t testing.TB, find func() (Program, error), name, kind string) (Program, bool) {
	t.Helper()
	program, err := find()
	if err != nil {
		leaveOut(t, err)
		return program, false
	}
	if err := testify(name, program.Version, kind); err != nil {
		t.Fatal(err)
	}
	return program, true
}

// leaveOut says that the test does without a server, or fails it where servers
// are required.
func leaveOut(t testing.TB, why error) {
	t.Helper()
	if os.Getenv(policyVariable) == "required" {
		t.Fatal(why)
	}
	t.Logf("left out: %v", why)
	leftOut.add(why.Error())
}
