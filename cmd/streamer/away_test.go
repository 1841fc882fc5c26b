package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer/internal/testservers"
)

// rude is a port that answers every connection with a word, and closes it.
func rude(t *testing.T, word string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprint(c, word)
			_, _ = c.Read(make([]byte, 1024))
			c.Close()
		}
	}()
	return l.Addr().String()
}

func TestAPortThatSpeaksSomethingElseIsNoSuccessOfAnyCommand(t *testing.T) {
	for _, word := range []string{"", "HTTP/1.1 400 Bad Request\r\n\r\n"} {
		addr := rude(t, word)
		for _, scheme := range []string{"kafka", "redis", "rediss"} {
			uri := scheme + "://" + addr + "/orders"
			for _, args := range [][]string{
				{"consume", uri}, {"consume", "--until-end", uri}, {"produce", uri}, {"relay", uri, "memory:///x"}, {"relay", "memory:///x", uri},
				{"describe", uri}, {"streams", uri}, {"groups", uri}, {"create", uri}, {"lag", uri, "--group", "g"},
			} {
				r := here(t, "line\n", args...)
				if r.code != exitUsage || !strings.Contains(r.stderr, "port") {
					t.Errorf("%v: exit code %d, want %d; stderr %q", args, r.code, exitUsage, r.stderr)
				}
			}
		}
	}
}

// away is a server that can go and come back.
type away interface {
	Kill()
	Restart()
}

func TestAServerThatIsAwayIsOneLineOfEachCommand(t *testing.T) {
	servers := map[string]away{}
	if s := testservers.StartRedis(t, testservers.RedisOptions{Config: []string{"appendonly yes", "appendfsync always"}}); s != nil {
		servers["redis://"+s.Addr()+"/orders?create=always&block=1s"] = s
	}
	if s := testservers.StartKafka(t, testservers.KafkaOptions{}); s != nil {
		servers["kafka://"+s.Addr()+"/orders"] = s
		if r := there(t, "", "create", "kafka://"+s.Addr()+"/orders"); r.code != exitOK {
			t.Fatal(r.stderr)
		}
	}
	for uri, server := range servers {
		t.Run(uri[:5], func(t *testing.T) { isOneLine(t, uri, server) })
	}
}

// isOneLine runs every command that continues while its server is away.
func isOneLine(t *testing.T, uri string, server away) {
	producer, stdin := fed(t, "produce", uri)
	send := func(line string) {
		if _, err := fmt.Fprintln(stdin, line); err != nil {
			t.Fatal(err)
		}
	}
	send("first")
	consumers := map[string]*process{}
	for name, args := range map[string][]string{
		"real time": {"--reset", "earliest"}, "group": {"--mode", "load-balanced", "--group", "g", "--reset", "earliest"}, "resumable": {"--mode", "resumable", "--group", "r", "--reset", "earliest"},
	} {
		consumers[name] = start(t, nil, append([]string{"consume", uri}, args...)...)
	}
	arrives := func(line string) {
		for name, c := range consumers {
			eventually(t, line+" at the "+name+" consumer; stderr: "+c.stderr.String(), func() bool { return strings.Contains(c.stdout.String(), line+"\n") })
		}
	}
	arrives("first")
	server.Kill()
	send("while away")
	time.Sleep(8 * time.Second) // how long it is away, which is many tries
	server.Restart()
	arrives("while away")
	consumers["producer"] = producer
	for name, p := range consumers {
		lines := strings.Split(strings.TrimSpace(p.stderr.String()), "\n")
		if len(lines) != 1 || !strings.HasPrefix(lines[0], "streamer: warning: retrying") {
			t.Errorf("%s: standard error has %d lines, want 1 warning:\n%s", name, len(lines), strings.Join(lines, "\n"))
		}
	}
}
