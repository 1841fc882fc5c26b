package redis

import (
	"testing"

	"github.com/gostreamer/streamer"
)

func TestKeysAndShardsAreEachOthersInverse(t *testing.T) {
	numbered, plain := Config{Shards: ShardsAuto}, Config{}
	for _, at := range []streamer.StreamShard{{Stream: "orders"}, {Stream: "orders", Shard: 12}, {Stream: "orders:eu", Shard: 3}, {Stream: "orders:7", Shard: 1}} {
		name, n, ok := cutShard(numbered.key(at))
		if !ok || name != at.Stream || n != at.Shard {
			t.Errorf("%v is %q, which is %q, %d, %v", at, numbered.key(at), name, n, ok)
		}
		if got := plain.key(at); got != at.Stream {
			t.Errorf("%v is %q", at, got)
		}
	}
	for _, key := range []string{"orders", "orders:", "orders:eu", "orders:01", "orders:+1", "orders:-1", "orders: 1", ":1", "orders:18446744073709551616", "orders:18446744073709551615"} {
		if name, n, ok := cutShard(key); ok {
			t.Errorf("%q is shard %d of %q", key, n, name)
		}
	}
	if got := numbered.key(streamer.StreamShard{Stream: "orders", Shard: PlainShard}); got != "orders" {
		t.Errorf("the plain key is %q", got)
	}
}

func TestPatternsMatchOneNameAlone(t *testing.T) {
	if got, want := escapeGlob(`a*b?[c]^\d`), `a\*b\?\[c\]\^\\d`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
