package testservers

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

const (
	// KafkaVersion is the release of Apache Kafka that tests start.
	KafkaVersion = "4.3.1"

	oldestJava = 17 // the first that Kafka 4 runs on
)

// KafkaDir is where the release is kept: its libraries in the directory "lib",
// and what [PrepareKafka] makes of them.
func KafkaDir() string { return filepath.Join(CacheDir(), "kafka-"+KafkaVersion) }

// FindKafka looks for the release in the cache, and for a Java that runs it,
// which is the program's path.
func FindKafka() (Program, error) {
	if _, err := os.Stat(filepath.Join(KafkaDir(), bootstrapFile)); err != nil {
		return Program{}, fmt.Errorf("kafka %s not found (make test installs it)", KafkaVersion)
	}
	java, err := FindJava()
	return Program{Path: java.Path, Version: KafkaVersion}, err
}

var javaVersion = regexp.MustCompile(`version "(\d[^"]*)"`)

// FindJava looks for a Java that is new enough: in JAVA_HOME, in PATH, then in
// the cache.
func FindJava() (Program, error) {
	paths := []string{"java", filepath.Join(CacheDir(), "java", "java")}
	if home := os.Getenv("JAVA_HOME"); home != "" {
		paths = append([]string{filepath.Join(home, "bin", "java")}, paths...)
	}
	return find("java", "-version", javaVersion, oldestJava, paths...)
}
