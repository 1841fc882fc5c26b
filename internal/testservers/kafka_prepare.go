package testservers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// archiveFile has the classes that a broker loads, in the form in which the
// virtual machine that wrote it reads them fastest. Another machine passes it
// over.
const archiveFile = "classes.jsa"

// javaArgs are the arguments of java that run one of Kafka's programs: in
// little memory, and without the compiler that pays only later.
func javaArgs(tuned []string, class string, args ...string) []string {
	flags := []string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx384m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"}
	if tuned == nil {
		tuned = []string{"-XX:SharedArchiveFile=" + filepath.Join(KafkaDir(), archiveFile), "-Xlog:disable", "-Xlog:all=error:stderr"}
	}
	flags = append(flags, tuned...)
	flags = append(flags, "-cp", filepath.Join(KafkaDir(), "lib", "*"), class)
	return append(flags, args...)
}

// PrepareKafka makes the libraries in [KafkaDir] ready to start quickly: it
// formats a data directory, and runs a broker to write down which classes it
// loads. [FindKafka] finds a release that is prepared.
func PrepareKafka(ctx context.Context) error {
	java, err := FindJava()
	if err != nil {
		return err
	}
	c, err := onFreePorts(func() (*KafkaCluster, error) {
		c := &KafkaCluster{options: KafkaOptions{Brokers: 1, Authorizer: true}}
		return c, c.rehearse(ctx, java)
	})
	if err != nil {
		return err
	}
	n := c.Nodes[0]
	return errors.Join(
		replace(filepath.Join(KafkaDir(), archiveFile), filepath.Join(n.dir, archiveFile)),
		replace(filepath.Join(KafkaDir(), bootstrapFile), filepath.Join(n.dir, dataDir, bootstrapFile)),
		c.remove(),
	)
}

// rehearse has Kafka's own tool format the data of a broker, and runs it until
// it has served a client.
func (c *KafkaCluster) rehearse(ctx context.Context, java Program) error {
	if err := c.prepare(java); err != nil {
		return err
	}
	n := c.Nodes[0]
	n.tuned = []string{"-XX:ArchiveClassesAtExit=" + filepath.Join(n.dir, archiveFile)}
	format := javaArgs([]string{"-Xshare:auto"}, "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", filepath.Join(n.dir, propertiesFile))
	if out, err := exec.CommandContext(ctx, java.Path, format...).CombinedOutput(); err != nil {
		return fmt.Errorf("formatting: %w\n%s", err, out)
	}
	if err := n.spawn(); err != nil {
		return err
	}
	if err := n.await(func() error { return n.knows(1) }); err != nil {
		return err
	}
	return errors.Join(c.warm(), n.process.terminate())
}

// replace replaces a file with a copy, which readers see
// either before or after.
func replace(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(to+".new", text, 0o644), os.Rename(to+".new", to))
}
