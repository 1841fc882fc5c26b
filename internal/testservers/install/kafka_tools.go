package main

import (
	"context"
	"errors"
	"os"

	"github.com/gostreamer/streamer/internal/testservers"
)

// toolJars are what Kafka's command line tools need beside [kafkaJars].
const toolJars = "62f3c5dd7aa3442d4c5bc6a95f86e2502178ea09de8e27f74d9563bf955e253c org.apache.kafka:kafka-tools:" + testservers.KafkaVersion

// installKafkaTools finds the command line tools with which tests look at what
// other clients see, or gets them.
func installKafkaTools(ctx context.Context) error {
	return errors.Join(
		install(ctx, "kafka's tools", testservers.FindKafkaTools, getKafkaTools),
		install(ctx, "kcat", testservers.FindKcat, func(ctx context.Context) error { return getPackage(ctx, "kcat", "usr/bin/kcat") }),
	)
}

// getKafkaTools puts the libraries into the cache, all or none.
func getKafkaTools(ctx context.Context) error {
	fresh, err := os.MkdirTemp(testservers.KafkaDir(), "tools-")
	if err != nil {
		return err
	}
	if err := fetch(ctx, readJars(toolJars), fresh); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	return errors.Join(os.RemoveAll(testservers.KafkaToolsDir()), os.Rename(fresh, testservers.KafkaToolsDir()))
}
