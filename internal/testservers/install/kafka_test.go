package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gostreamer/streamer/internal/testservers"
)

func TestTheListIsOfTheReleaseThatTestsStart(t *testing.T) {
	found := false
	for _, j := range readJars(kafkaJars) {
		if sum, err := hex.DecodeString(j.sum); err != nil || len(sum) != sha256.Size {
			t.Errorf("%s has no checksum: %q", j.file(), j.sum)
		}
		found = found || j.artifact == "kafka_2.13" && j.version == testservers.KafkaVersion
	}
	if !found {
		t.Errorf("the list has no Kafka %s", testservers.KafkaVersion)
	}
}

func TestALibraryIsWhatItWas(t *testing.T) {
	const text = "a library"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/maven/org/example/lib/1.0/lib-1.0.jar" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	defer server.Close()
	t.Setenv(repositoryVariable, server.URL+"/maven/")
	sum := sha256.Sum256([]byte(text))
	right := jar{"org.example", "lib", "1.0", hex.EncodeToString(sum[:])}
	other, missing := right, right
	other.sum = strings.Repeat("0", len(other.sum))
	missing.version = "2.0"
	for words, j := range map[string]jar{"": right, "checksum": other, "404": missing} {
		err := fetch(t.Context(), []jar{j}, t.TempDir())
		if (err == nil) != (words == "") || err != nil && !strings.Contains(err.Error(), words) {
			t.Errorf("%+v: %v", j, err)
		}
	}
}

// A package is unpacked elsewhere than it was made for: what it links to is
// there as well, unless it is the system's.
func TestAnUnpackedProgramFindsItsFiles(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Logf("left out: %v", err)
		return
	}
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	bin, etc := filepath.Join(root, "usr", "bin"), filepath.Join(root, "etc")
	for _, d := range []string{bin, etc} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	conf := filepath.Join(bin, "conf")
	for _, err := range []error{
		os.WriteFile(filepath.Join(etc, "conf"), []byte("found"), 0o600),
		os.Symlink("/etc/conf", conf),
		os.Symlink("/etc/of-the-system", filepath.Join(bin, "other")),
		os.WriteFile(filepath.Join(bin, "program"), []byte("#!/bin/sh\ncat '"+conf+"' \"$1\"\n"), 0o755),
		os.WriteFile(filepath.Join(dir, "argument"), []byte(", with its argument"), 0o600),
		relink(root),
		writeScript(dir, root, "usr/*/program"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "program"), filepath.Join(dir, "argument")).CombinedOutput()
	if err != nil || string(out) != "found, with its argument" {
		t.Errorf("it says %q: %v", out, err)
	}
	if to, err := os.Readlink(filepath.Join(bin, "other")); to != "/etc/of-the-system" {
		t.Errorf("a link to the system leads to %q: %v", to, err)
	}
}
