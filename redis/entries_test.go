package redis_test

import (
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// entries reads what a server has under a key, in order.
func entries(t *trials.Trial, s *testservers.RedisServer, key string) []trials.Entry {
	t.Helper()
	var list []trials.Entry
	for _, e := range s.Do("XRANGE", key, "-", "+").([]any) {
		e := e.([]any)
		fields := e[1].([]any)
		list = append(list, trials.Entry{Shard: shardOf(key), Seq: e[0].(string), Number: trials.NumberOf([]byte(fields[1].(string)))})
	}
	return list
}

// shardOf is the number after the key's last colon, else 0.
func shardOf(key string) streamer.ShardID {
	n := 0
	if i := strings.LastIndexByte(key, ':'); i >= 0 {
		n = max(0, trials.NumberOf([]byte(key[i+1:])))
	}
	return streamer.ShardID(n) //nolint:gosec // a few
}
