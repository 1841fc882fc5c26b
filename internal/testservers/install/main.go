// Command install gets the servers that tests start, once: `make test` runs it first. A server that is there already is left as it is.
//
//	go run ./internal/testservers/install
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/gostreamer/streamer/internal/testservers"
)

// advice is what to do by hand where this program does not know how.
const advice = `install Redis 7.0 or later, so that redis-server is in PATH:
	Debian, Ubuntu   apt-get install redis-server
	Fedora           dnf install redis
	Alpine           apk add redis
	macOS            brew install redis
Tests that need a server are left out where there is none: go test ./...`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := installRedis(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "install: %v\n%s\n", err, advice)
		os.Exit(1)
	}
}

// installRedis finds a redis-server or gets one: as a package of the system where we may install those, else unpacked into the cache.
func installRedis(ctx context.Context) error {
	p, err := testservers.FindRedis()
	if err != nil {
		fmt.Println("getting redis-server, once")
		if err := getRedis(ctx); err != nil {
			return err
		}
		if p, err = testservers.FindRedis(); err != nil {
			return err
		}
	}
	fmt.Printf("redis-server %s: %s\n", p.Version, p.Path)
	return nil
}

func getRedis(ctx context.Context) error {
	switch {
	case !hasApt():
		return errors.New("no apt-get here")
	case os.Geteuid() == 0:
		return aptInstall(ctx, "redis-server")
	default:
		return unpackRedis(ctx)
	}
}
