package main

import (
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// Every option that every backend knows is a flag of the commands that it is
// about.
func TestEveryOptionIsAFlag(t *testing.T) {
	consume, produce, relay := here(t, "", "consume", "--help").stdout, here(t, "", "produce", "--help").stdout, here(t, "", "relay", "--help").stdout
	for _, row := range driver.CommonOptions() {
		flag := "--" + flagName(row.Key) + "="
		inConsume, inProduce, inRelay := strings.Contains(consume, flag), strings.Contains(produce, flag), strings.Contains(relay, flag)
		switch {
		case row.Key == "close_timeout":
			if !inConsume || !inProduce || !inRelay {
				t.Errorf("%s is missing", flag)
			}
		case row.Key == "ack" || row.Key == "ack_delay":
			if !inConsume || inProduce || inRelay {
				t.Errorf("%s is to be in consume alone", flag)
			}
		case inConsume == inProduce:
			t.Errorf("%s is to be in one of consume and produce", flag)
		case !inRelay:
			t.Errorf("%s is missing in relay", flag)
		}
	}
}

func TestFlagsOverrideTheURI(t *testing.T) {
	drop(t, "flags")
	here(t, numbers("m", 1, 3), "produce", "memory://flags/s").want(t, exitOK, "")
	uri := "memory://flags/s?mode=load-balanced&group=g&reset=latest&prefetch=1"
	here(t, "", "consume", uri, "--mode=realtime", "--start=beginning", "--prefetch=10", "-n2").want(t, exitOK, "m1\nm2\n")
	here(t, "", "groups", "memory://flags/s").want(t, exitOK, "")
	here(t, "", "consume", uri, "--group=h", "--mode=resumable", "--reset=earliest", "-n2").want(t, exitOK, "m1\nm2\n")
	r := here(t, "", "lag", "memory://flags/s", "-o", "json")
	if !strings.Contains(r.stdout, `"group":"h","shard":0,"messages":1`) || strings.Contains(r.stdout, `"group":"g"`) {
		t.Errorf("the group is not h: %+v", r)
	}
	here(t, "x\n", "produce", "memory://flags/new?create=always", "--create=never").want(t, exitNotFound, "", "not found")
}

func TestWithOptionReplacesInTheText(t *testing.T) {
	for _, c := range []struct{ uri, value, want string }{
		{"a://u:p%40w@h/s", "", "a://u:p%40w@h/s"},
		{"a://u:p%40w@h/s", "v", "a://u:p%40w@h/s?k=v"},
		{"a://h/s?k=1", "v", "a://h/s?k=v"},
		{"a://h/s?k=1&x=2&&k=3", "v", "a://h/s?x=2&k=v"},
		{"a://h/s?kk=1&k", "a b&c=d+", "a://h/s?kk=1&k=a%20b%26c%3Dd%2B"},
	} {
		if got := withOption(c.uri, "k", c.value); got != c.want {
			t.Errorf("%s with k=%s: %s, want %s", c.uri, c.value, got, c.want)
		}
	}
	u, err := streamer.ParseURI(withOption("a://h/s", "k", "a b&c=d+%"))
	if err != nil || u.Query.Get("k") != "a b&c=d+%" {
		t.Errorf("%v, %v", u, err)
	}
}
