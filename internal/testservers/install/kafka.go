package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gostreamer/streamer/internal/testservers"
)

// repositoryVariable names another Maven repository to take the libraries from.
// Without it, they come through mvn where there is one, with the mirrors and
// proxies of its settings, and else from Maven Central.
const (
	repositoryVariable = "STREAMER_MAVEN"
	mavenCentral       = "https://repo.maven.apache.org/maven2"
)

// jar is a library in a Maven repository, and the SHA-256 of what is in it.
type jar struct{ group, artifact, version, sum string }

func (j jar) file() string { return j.artifact + "-" + j.version + ".jar" }

// kafkaJars are the libraries of [testservers.KafkaVersion], a line for each,
// as Maven resolves org.apache.kafka:kafka_2.13 and org.slf4j:slf4j-simple. A
// new release is a new list.
//
//go:embed kafka.txt
var kafkaJars string

// installKafka finds a release of Kafka and a Java to run it, or gets what is
// missing of them.
func installKafka(ctx context.Context) error {
	if _, err := testservers.FindJava(); err != nil {
		fmt.Println("getting java, once")
		if err := getJava(ctx); err != nil {
			return err
		}
	}
	p, err := testservers.FindKafka()
	if err != nil {
		fmt.Println("getting kafka, once")
		if err := getKafka(ctx); err != nil {
			return err
		}
		if p, err = testservers.FindKafka(); err != nil {
			return err
		}
	}
	fmt.Printf("kafka %s: %s, run by %s\n", p.Version, testservers.KafkaDir(), p.Path)
	return nil
}

// getJava gets what Debian's releases have of the versions that Kafka is made
// for.
func getJava(ctx context.Context) error {
	var errs []error
	for _, version := range []int{17, 21, 25} {
		err := getPackage(ctx, fmt.Sprintf("openjdk-%d-jre-headless", version), "usr/lib/jvm/*/bin/java")
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// getKafka puts the libraries into the cache, all or none, and prepares them.
func getKafka(ctx context.Context) error {
	dir := testservers.KafkaDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(dir, "lib-")
	if err != nil {
		return err
	}
	lib := filepath.Join(dir, "lib")
	if err := fetch(ctx, readJars(kafkaJars), fresh); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	if err := errors.Join(os.RemoveAll(lib), os.Rename(fresh, lib)); err != nil {
		return err
	}
	return testservers.PrepareKafka(ctx)
}

func readJars(list string) []jar {
	var jars []jar
	for line := range strings.Lines(list) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		part := strings.Split(name, ":")
		jars = append(jars, jar{group: part[0], artifact: part[1], version: part[2], sum: sum})
	}
	return jars
}

// fetch gets jars into a directory and checks that they are what they were.
func fetch(ctx context.Context, jars []jar, dir string) error {
	repository, chosen := os.LookupEnv(repositoryVariable)
	var err error
	if _, missing := exec.LookPath("mvn"); missing == nil && !chosen {
		err = fetchByMaven(ctx, jars, dir)
	} else {
		if !chosen {
			repository = mavenCentral
		}
		err = fetchFrom(ctx, repository, jars, dir)
	}
	if err != nil {
		return err
	}
	for _, j := range jars {
		if err := j.check(dir); err != nil {
			return err
		}
	}
	return nil
}

func (j jar) check(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, j.file()))
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != j.sum {
		return fmt.Errorf("%s has the checksum %x, not %s", j.file(), sum, j.sum)
	}
	return nil
}

// fetchByMaven has Maven copy the jars, and nothing that they depend on: the
// list is complete.
func fetchByMaven(ctx context.Context, jars []jar, dir string) error {
	var pom strings.Builder
	pom.WriteString("<project><modelVersion>4.0.0</modelVersion><groupId>servers</groupId><artifactId>kafka</artifactId><version>1</version>" +
		"<packaging>pom</packaging><dependencies>\n")
	for _, j := range jars {
		fmt.Fprintf(&pom, "<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version>"+
			"<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>\n", j.group, j.artifact, j.version)
	}
	pom.WriteString("</dependencies></project>\n")
	file := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(file, []byte(pom.String()), 0o644); err != nil {
		return err
	}
	_, err := run(ctx, dir, "mvn", "-B", "-ntp", "-q", "-f", file,
		"org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies", "-DoutputDirectory="+dir)
	return errors.Join(err, os.Remove(file))
}

// fetchFrom downloads the jars from a repository.
func fetchFrom(ctx context.Context, repository string, jars []jar, dir string) error {
	for _, j := range jars {
		url := strings.Join([]string{
			strings.TrimSuffix(repository, "/"), strings.ReplaceAll(j.group, ".", "/"), j.artifact, j.version, j.file(),
		}, "/")
		if err := download(ctx, url, filepath.Join(dir, j.file())); err != nil {
			return err
		}
	}
	return nil
}

func download(ctx context.Context, url, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, resp.Body)
	return errors.Join(err, f.Close())
}
