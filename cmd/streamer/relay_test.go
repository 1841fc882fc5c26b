package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

func TestRelayKeepsKeyHeadersAndTime(t *testing.T) {
	drop(t, "relay")
	in := `{"key":"k","headers":[{"key":"h","value":"1"}],"time":"2024-05-06T07:08:09Z","value":"v"}` + "\n" + `{"value":null}` + "\n"
	here(t, in, "produce", "memory://relay/a", "-i", "json").want(t, exitOK, "")
	here(t, "", "-v", "relay", "memory://relay/a", "memory://relay/b", "--until-end").want(t, exitOK, "", "relay: 2 messages, 2 bytes stored, 2 acknowledged")
	a, b := here(t, "", "consume", "memory://relay/a", "--until-end", "-o", "json"), here(t, "", "consume", "memory://relay/b", "--until-end", "-o", "json")
	if b.stdout == "" || strings.ReplaceAll(b.stdout, `"b"`, `"a"`) != a.stdout {
		t.Errorf("%q became %q", a.stdout, b.stdout)
	}
}

func TestRelayGoesOnWhereItStopped(t *testing.T) {
	drop(t, "relay-on")
	for i := range 3 {
		here(t, numbers("m", 1000*i+1, 1000*i+1000), "produce", "memory://relay-on/a").want(t, exitOK, "")
		here(t, "", "-v", "relay", "memory://relay-on/a", "memory://relay-on/b", "--until-end").want(t, exitOK, "", "1,000 acknowledged")
	}
	here(t, "", "-v", "relay", "memory://relay-on/a", "memory://relay-on/other", "--until-end").want(t, exitOK, "", "3,000 acknowledged")
	here(t, "", "consume", "memory://relay-on/b", "--until-end").want(t, exitOK, numbers("m", 1, 3000))
}

func TestRelayOfSeveralStreamsKeepsTheirNames(t *testing.T) {
	drop(t, "many", "many-copy")
	here(t, "1\n", "produce", "memory://many/a").want(t, exitOK, "")
	here(t, "2\n", "produce", "memory://many/b").want(t, exitOK, "")
	here(t, "", "relay", "memory://many/a,b", "memory://many-copy", "--until-end").want(t, exitOK, "")
	here(t, "", "consume", "memory://many-copy/b", "--until-end").want(t, exitOK, "2\n")
	here(t, "", "relay", "memory://many/a,b", "memory://many-copy/both", "--until-end").want(t, exitOK, "")
	here(t, "", "describe", "memory://many-copy/both").want(t, exitOK, "STREAM  SHARD  FIRST  NEXT  STATE\nboth    0      0      2     open\n")
}

func TestRelayRefusesWhatCannotBe(t *testing.T) {
	drop(t, "loop")
	here(t, "", "relay", "memory://loop/a", "memory://loop/a?create=always").want(t, exitUsage, "", "source and target are the same")
	here(t, "", "relay", "memory://loop/a", "memory://loop/b,c").want(t, exitUsage, "", "names 2: b, c")
	here(t, "", "relay", "memory://loop/a", "memory://loop/b").want(t, exitNotFound, "", "memory a: not found")
	here(t, "", "relay", "memory://loop/a", "memory://loop/b", "--window=0").want(t, exitUsage, "", "--window")
}

func TestRelayIntoALineSaysWhatItCannotKeep(t *testing.T) {
	in := `{"key":"k","value":"1","headers":[{"key":"h","value":"v"}]}` + "\n" + `{"key":"k","value":"2"}` + "\n" + `{"value":"3"}` + "\n"
	r := there(t, in, "relay", "stdio:///s?format=json", "stdio:///out")
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if r.code != exitOK || len(lines) != 3 || !strings.HasSuffix(lines[2], "| out | 2 | 0] 3") || strings.Count(r.stderr, "dropped") != 1 {
		t.Errorf("%+v", r)
	}
}

func TestTheGroupOfARelayIsAboutWhereItsTargetIs(t *testing.T) {
	at := func(uri string) string {
		u, err := streamer.ParseURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		return place(u)
	}
	t.Chdir(t.TempDir())
	one, absolute := at("file://./log.ss/s?shards=2"), at("file://"+filepath.ToSlash(mustGetwd(t))+"/log.ss/s")
	t.Chdir(t.TempDir())
	if other := at("file://log.ss/s"); one == other || one != absolute || relayGroup(one) == relayGroup(other) {
		t.Errorf("%s, %s and %s", one, absolute, other)
	}
	if a, b := at("kafka://u:p@h:1/s?x=1"), at("kafka://h:1/s"); a != b || strings.Contains(a, "p@") {
		t.Errorf("%s and %s", a, b)
	}
}

func mustGetwd(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
