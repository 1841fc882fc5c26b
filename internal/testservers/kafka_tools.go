package testservers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// toolsDir has the libraries of the release's command line tools. They are not
// beside those of the broker, whose archive of classes is good for one class
// path.
const toolsDir = "tools"

// FindKafkaTools looks for the command line tools of the release, and for a
// Java that runs them.
func FindKafkaTools() (Program, error) {
	if _, err := os.Stat(filepath.Join(KafkaToolsDir(), "kafka-tools-"+KafkaVersion+".jar")); err != nil {
		return Program{}, fmt.Errorf("the tools of kafka %s not found (make test installs them)", KafkaVersion)
	}
	return FindKafka()
}

// KafkaToolsDir is where the libraries are kept that the tools need beside
// those of the broker.
func KafkaToolsDir() string { return filepath.Join(KafkaDir(), toolsDir) }

// KafkaTool is a command that runs one of the release's command line tools,
// which is named by its class; nil leaves the test out.
func KafkaTool(t testing.TB, class string, args ...string) *exec.Cmd {
	t.Helper()
	p, ok := programFor(t, FindKafkaTools, "kafka", "command line tools")
	if !ok {
		return nil
	}
	path := filepath.Join(KafkaDir(), "lib", "*") + string(os.PathListSeparator) + filepath.Join(KafkaToolsDir(), "*")
	flags := []string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", path, class}
	return exec.CommandContext(t.Context(), p.Path, append(flags, args...)...)
}

var kcatVersion = regexp.MustCompile(`Version (\d+\.\d+\.\d+)`)

// FindKcat looks for kcat, the command line tool on librdkafka, first in PATH,
// then in the cache.
func FindKcat() (Program, error) {
	return find("kcat", "-V", kcatVersion, 1, "kcat", "kafkacat", filepath.Join(CacheDir(), "kcat", "kcat"))
}

// Kcat is a command that runs kcat; nil leaves the test out.
func Kcat(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	p, ok := programFor(t, FindKcat, "kcat", "command line tool")
	if !ok {
		return nil
	}
	return exec.CommandContext(t.Context(), p.Path, args...)
}
