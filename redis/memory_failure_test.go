package redis_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// TestAGroupThatExistsOpensWhenMemoryIsFull: reading and acknowledging is what
// makes room. A group that does not exist cannot be made, and the error says
// why.
func TestAGroupThatExistsOpensWhenMemoryIsFull(t *testing.T) {
	for _, without := range []string{"", " -eval -evalsha"} {
		t.Run("rights"+without, func(t *testing.T) {
			trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
				server := testservers.StartRedis(t.T, testservers.RedisOptions{Users: []string{"app on >" + secret + " ~* +@all" + without}})
				if server == nil {
					return
				}
				add(t, server, "orders", 0, 10)
				s := t.Connect("redis://app:" + secret + "@" + server.Addr() + "/orders?block=500ms")
				if mode != streamer.RealTime {
					c := t.Consumer(s, trials.Reader(mode))
					ackAll(t.Next(c, span(0, 4)...))
					t.Must("Close", c.Close())
				}
				server.Do("CONFIG", "SET", "maxmemory", "1")
				begin := map[bool]int{true: 0, false: 4}[mode == streamer.RealTime]
				c := t.Consumer(s, trials.Reader(mode))
				ackAll(t.Next(c, span(begin, 10)...))
				t.Must("Commit", c.Commit(t.Ctx))
				t.Must("Close", c.Close())
				if mode == streamer.RealTime {
					return
				}
				if n := server.Do("XPENDING", "orders", "g").([]any)[0]; n != int64(0) {
					t.Errorf("%v messages are pending", n)
				}
				o := trials.Reader(mode)
				o.Group = "another"
				_, err := s.Consumer(t.Ctx, o)
				if !errors.Is(err, streamer.ErrThrottled) || !strings.Contains(err.Error(), "maxmemory") {
					t.Errorf("a new group: %v, want ErrThrottled that names maxmemory", err)
				}
				if mode != streamer.Resumable {
					return
				}
				c = t.Consumer(s, trials.Reader(mode))
				defer c.Close()
				err = c.Rewind(t.Ctx, streamer.Beginning())
				if !errors.Is(err, streamer.ErrThrottled) || !strings.Contains(err.Error(), "maxmemory") {
					t.Errorf("Rewind: %v, want ErrThrottled that names maxmemory", err)
				}
			})
		})
	}
}
