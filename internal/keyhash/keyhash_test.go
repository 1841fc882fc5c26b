package keyhash_test

import (
	"hash/fnv"
	"testing"

	"github.com/gostreamer/streamer/internal/keyhash"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestShardIsFNV1aModuloN(t *testing.T) {
	for _, key := range []string{"", "a", "foobar", "order-42", "\x00\xff", "日本"} {
		h := fnv.New32a()
		h.Write([]byte(key))
		for _, n := range []int{1, 2, 3, 7, 1000, 1 << 30} {
			if got, want := keyhash.Shard([]byte(key), n), int(uint64(h.Sum32())%uint64(n)); got != want {
				t.Errorf("Shard(%q, %d) = %d, want %d", key, n, got, want)
			}
		}
	}
}

// Stored records stay where they are: these places are part of the file
// format's and the Redis layout's contract.
func TestShardNeverChanges(t *testing.T) {
	for key, want := range map[string]int{"": 5, "a": 12, "foobar": 8, "order-42": 4, "customer-7": 1} {
		if got := keyhash.Shard([]byte(key), 16); got != want {
			t.Errorf("Shard(%q, 16) = %d, want %d", key, got, want)
		}
	}
}

func TestShardDoesNotAllocate(t *testing.T) {
	key := []byte("customer-7")
	if n := testing.AllocsPerRun(100, func() { keyhash.Shard(key, 12) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
