package testservers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
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

// FindRedis looks for a redis-server that is new enough, first in PATH, then in the cache.
func FindRedis() (Program, error) {
	var tooOld error
	for _, path := range []string{"redis-server", filepath.Join(CacheDir(), "redis", "redis-server")} {
		path, err := exec.LookPath(path)
		if err != nil {
			continue
		}
		p, err := redisProgram(path)
		if err == nil {
			return p, nil
		}
		tooOld = err
	}
	if tooOld != nil {
		return Program{}, tooOld
	}
	return Program{}, errors.New("redis-server not found (make test installs it)")
}

// CacheDir is where installed programs are kept: $XDG_CACHE_HOME/streamer-testservers, or what the platform has instead.
func CacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "streamer-testservers")
}

var redisVersion = regexp.MustCompile(`v=((\d+)\.\d+\.\d+)`)

func redisProgram(path string) (Program, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return Program{}, fmt.Errorf("%s --version: %w", path, err)
	}
	version := redisVersion.FindSubmatch(out)
	if version == nil {
		return Program{}, fmt.Errorf("%s --version does not say which: %q", path, out)
	}
	if major, _ := strconv.Atoi(string(version[2])); major < oldestRedis {
		return Program{}, fmt.Errorf("%s is version %s, the tests need %d.0 or later", path, version[1], oldestRedis)
	}
	return Program{Path: path, Version: string(version[1])}, nil
}

// leaveOut says that the test does without a server, or fails it where servers are required.
func leaveOut(t testing.TB, why error) {
	t.Helper()
	if os.Getenv(policyVariable) == "required" {
		t.Fatal(why)
	}
	t.Logf("left out: %v", why)
	leftOut.add(why.Error())
}
