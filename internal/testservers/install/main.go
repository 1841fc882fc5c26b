// Command install gets the servers that tests start, once: `make test` runs it
// first. A server that is there already is left as it is.
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
const advice = `install Redis 7.0 or later, so that redis-server is in PATH, and a Java 17 or later, so that java is in PATH or JAVA_HOME names it,
and kcat:
	Debian, Ubuntu   apt-get install redis-server default-jre-headless kcat
	Fedora           dnf install redis java-21-openjdk-headless kcat
	Alpine           apk add redis openjdk21-jre-headless kcat
	macOS            brew install redis openjdk kcat
Apache Kafka comes from Maven Central; STREAMER_MAVEN names another repository.
Tests that need a server are left out where there is none: go test ./...`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := errors.Join(installRedis(ctx), installKafka(ctx), installKafkaTools(ctx))
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "install: %v\n%s\n", err, advice)
		os.Exit(1)
	}
}

// installRedis finds a redis-server or gets one.
func installRedis(ctx context.Context) error {
	return install(ctx, "redis-server", testservers.FindRedis, func(ctx context.Context) error {
		return getPackage(ctx, "redis-server", "usr/bin/redis-server")
	})
}

// install finds a program or gets it.
func install(ctx context.Context, name string, find func() (testservers.Program, error), get func(context.Context) error) error {
	p, err := find()
	if err != nil {
		fmt.Printf("getting %s, once\n", name)
		if err := get(ctx); err != nil {
			return err
		}
		if p, err = find(); err != nil {
			return err
		}
	}
	fmt.Printf("%s %s: %s\n", name, p.Version, p.Path)
	return nil
}
