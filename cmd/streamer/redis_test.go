package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer/internal/testservers"
)

// redisModes are the options of a URI for each mode, in a group of that name.
var redisModes = map[string]string{
	"realtime":      "start=beginning",
	"resumable":     "mode=resumable&group=resumable",
	"load-balanced": "mode=load-balanced&group=load-balanced",
}

// load adds entries to a stream in one round trip.
func load(s *testservers.RedisServer, key string, n int) {
	s.Do("EVAL", `for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'msg', 'text ' .. i) end return 1`, "1", key, fmt.Sprint(n))
}

// TestUntilEndEndsWhateverIsTrimmed: before the command, while it runs, and
// behind it, in each mode; afterwards the group has no lag.
func TestUntilEndEndsWhateverIsTrimmed(t *testing.T) {
	removals := map[string]func(*testservers.RedisServer){
		"XTRIM to some":    func(s *testservers.RedisServer) { s.Do("XTRIM", "orders", "MAXLEN", "100") },
		"XTRIM to nothing": func(s *testservers.RedisServer) { s.Do("XTRIM", "orders", "MAXLEN", "0") },
		"XDEL of the newest": func(s *testservers.RedisServer) {
			for _, e := range s.Do("XREVRANGE", "orders", "+", "-", "COUNT", "10").([]any) {
				s.Do("XDEL", "orders", e.([]any)[0].(string))
			}
		},
	}
	for how, remove := range removals {
		for mode, options := range redisModes {
			t.Run(how+"/"+mode, func(t *testing.T) {
				s := testservers.StartRedis(t, testservers.RedisOptions{})
				if s == nil {
					return
				}
				uri := "redis://" + s.Addr() + "/orders?block=500ms&" + options
				load(s, "orders", 20)
				there(t, "", "consume", uri, "--until-end")
				load(s, "orders", 15_000)
				p := start(t, nil, "consume", uri, "--until-end")
				eventually(t, "the first message", func() bool { return strings.Contains(p.stdout.String(), "text") })
				remove(s)
				if r := p.wait(); r.code != exitOK {
					t.Fatalf("exit %d: %s", r.code, r.stderr)
				}
				load(s, "orders", 200)
				remove(s)
				begin := time.Now()
				if r := there(t, "", "consume", uri, "--until-end"); r.code != exitOK {
					t.Fatalf("exit %d: %s", r.code, r.stderr)
				}
				t.Logf("what is left was read within %v", time.Since(begin).Round(time.Millisecond))
				if mode == "realtime" {
					return
				}
				lag := there(t, "", "lag", "redis://"+s.Addr()+"/orders", "--group="+mode, "-o", "json")
				if lag.code != exitOK || !strings.Contains(lag.stdout, `"messages":0`) {
					t.Errorf("exit %d: %s%s", lag.code, lag.stdout, lag.stderr)
				}
			})
		}
	}
}
