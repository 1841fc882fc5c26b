// Package keyhash maps keys to shards, the same way in every backend that
// chooses the shard itself.
package keyhash

// FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv. The constants
// decide where stored records lie, so they never change.
const (
	offset = 2166136261
	prime  = 16777619
)

// Shard is the shard of key among n: its FNV-1a hash modulo n. n is at least 1.
func Shard(key []byte, n int) int {
	h := uint32(offset)
	for _, b := range key {
		h = (h ^ uint32(b)) * prime
	}
	return int(uint64(h) % uint64(n))
}
