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
const advice = `install Redis 7.0 or later, so that redis-server is in PATH, and a Java 17 or later, so that java is in PATH or JAVA_HOME names it:
	Debian, Ubuntu   apt-get install redis-server default-jre-headless
	Fedora           dnf install redis java-21-openjdk-headless
	Alpine           apk add redis openjdk21-jre-headless
	macOS            brew install redis openjdk
Apache Kafka comes from Maven Central; STREAMER_MAVEN names another repository.
Tests that need a server are left out where there is none: go test ./...`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := errors.Join(installRedis(ctx), installKafka(ctx))
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "install: %v\n%s\n", err, advice)
		os.Exit(1)
	}
}

// installRedis finds a redis-server or gets one.
func installRedis(ctx context.Context) error {
	p, err := testservers.FindRedis()
	if err != nil {
		fmt.Println("getting redis-server, once")
		if err := getPackage(ctx, "redis-server", "usr/bin/redis-server"); err != nil {
			return err
		}
		if p, err = testservers.FindRedis(); err != nil {
			return err
		}
	}
	fmt.Printf("redis-server %s: %s\n", p.Version, p.Path)
	return nil
}
