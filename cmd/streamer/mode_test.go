package main

import (
	"os"
	"strings"
	"testing"
)

// places are a URI of a new stream on each backend that needs no server and
// keeps positions.
func places(t *testing.T) map[string]string {
	t.Helper()
	name := "mode-" + strings.ReplaceAll(t.Name(), "/", "-")
	drop(t, name)
	return map[string]string{
		"memory":           "memory://" + name + "/s?shards=2",
		"memory, dealt":    "memory://" + name + "/d?groups=dealt",
		"memory, messages": "memory://" + name + "/m?acks=message",
		"file":             fileLog(t) + "/s?shards=1",
	}
}

// TestAGroupWithoutAModeResumes: in the URI as in a flag it is read as a group,
// which continues where it stopped; RealTime would begin from now on.
func TestAGroupWithoutAModeResumes(t *testing.T) {
	for name, uri := range places(t) {
		t.Run(name, func(t *testing.T) {
			here(t, numbers("m", 1, 5), "produce", uri, "--shard=0").want(t, exitOK, "")
			here(t, "", "consume", uri+"&group=billing&reset=earliest", "-n2").want(t, exitOK, numbers("m", 1, 2))
			here(t, "", "consume", uri, "--group=billing", "-n2").want(t, exitOK, numbers("m", 3, 4))
			here(t, "", "consume", uri+"&group=billing", "--until-end").want(t, exitOK, numbers("m", 5, 5))
		})
	}
}

// TestARelayOfAGroupWithoutAModeGoesOnWhereItStopped.
func TestARelayOfAGroupWithoutAModeGoesOnWhereItStopped(t *testing.T) {
	for name, uri := range places(t) {
		t.Run(name, func(t *testing.T) {
			to := fileLog(t) + "/copy"
			here(t, numbers("m", 1, 3), "produce", uri, "--shard=0").want(t, exitOK, "")
			here(t, "", "-v", "relay", uri, to, "--group=g", "--until-end").want(t, exitOK, "", "3 messages")
			here(t, numbers("m", 4, 5), "produce", uri, "--shard=0").want(t, exitOK, "")
			here(t, "", "-v", "relay", uri+"&group=g", to, "--until-end").want(t, exitOK, "", "2 messages")
			here(t, "", "consume", to, "--until-end").want(t, exitOK, numbers("m", 1, 5))
		})
	}
}

// TestRelaysOfAGroupWithoutAModeStandByForEachOther: with mode=resumable the
// second one would be refused.
func TestRelaysOfAGroupWithoutAModeStandByForEachOther(t *testing.T) {
	from, one, two := fileLog(t)+"/s", fileLog(t)+"/s", fileLog(t)+"/s"
	there(t, "m1\n", "produce", from).want(t, exitOK, "")
	arrived := func(to, want string) func() bool {
		return func() bool { return there(t, "", "consume", to, "--until-end", "--create=always").stdout == want }
	}
	first := start(t, nil, "relay", from, one, "--group=g")
	eventually(t, "m1", arrived(one, "m1\n"))
	second := start(t, nil, "relay", from, two, "--group=g")
	eventually(t, "the target of the second", func() bool {
		_, err := os.Stat(strings.TrimSuffix(strings.TrimPrefix(two, "file://"), "/s"))
		return err == nil
	})
	first.signal(os.Interrupt)
	first.wait().want(t, exitOK, "", "relay: stopped by SIGINT: 1 message")
	there(t, "m2\n", "produce", from).want(t, exitOK, "")
	eventually(t, "m2", arrived(two, "m2\n"))
	second.signal(os.Interrupt)
	second.wait().want(t, exitOK, "", "1 message")
}
