package redis

import (
	"sync"
	"time"
)

// sizer says how many entries to ask for: as many as a reply may take of memory
// and of time, no more than a few times what has come before, and fewer after a
// reply that was lost. It may be used concurrently.
type sizer struct {
	mu   sync.Mutex
	avg  int // bytes of an entry in a reply; 0: not known
	rate int // bytes per second that the link carries; 0: more than can be measured
	cap  int // entries in a reply; 0: none has come

	// After a reply that was lost the cap grows once in a calm, which is longer
	// when that was too much. Calm is 0 where no reply has been lost for its
	// size.
	calm  time.Duration
	until time.Time
	grown bool
}

const (
	replyBytes = 4 << 20 // what one reply is meant to take at most
	replyTime  = time.Second

	firstCount = 16 // entries that are asked for while their size is not known
	growth     = 8
	largestCap = 1 << 20

	// unlimitedCap is more than any read asks for.
	unlimitedCap = 1 << 13

	// A reply says something about the link if it took so long, or was so
	// large.
	tellingTime  = 50 * time.Millisecond
	tellingBytes = 256 << 10

	leastCalm = time.Second
	mostCalm  = 5 * time.Minute
)

// count cuts a number of entries to what one reply is meant to take.
func (z *sizer) count(n int) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.within(n, replyBytes)
}

// stretch is a number of entries from least to most that is meant to take so
// many bytes.
func (z *sizer) stretch(least, most, bytes int) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return max(least, z.within(most, bytes))
}

// within cuts a number of entries. mu is held.
func (z *sizer) within(n, bytes int) int {
	if z.cap == 0 {
		z.cap = firstCount
	}
	n = min(n, z.cap)
	if z.rate > 0 {
		bytes = min(bytes, int(int64(z.rate)*int64(replyTime)/int64(time.Second)))
	}
	if z.avg > 0 {
		n = min(n, bytes/z.avg)
	}
	return max(1, n)
}

// most is how many entries a reply may have; careful: because some were lost.
func (z *sizer) most() (n int, careful bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.cap, z.calm > 0
}

// expect is the room that a reply of n entries probably takes.
func (z *sizer) expect(n int) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return min(n*z.avg+n*z.avg/32, replyBytes)
}

// learn takes a reply into account: larger entries at once, smaller ones
// slowly. took is from its first byte to its last.
func (z *sizer) learn(bytes, entries int, took time.Duration) {
	if entries == 0 {
		return
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.avg = max(bytes/entries, z.avg-z.avg/8, 1)
	switch {
	case took >= tellingTime:
		z.rate = max(1, int(int64(bytes)*int64(time.Second)/int64(took)))
	case bytes >= tellingBytes:
		z.rate = 0
	}
	z.grow(entries)
}

// grow lets replies be larger after one that came. mu is held.
func (z *sizer) grow(entries int) {
	if z.calm == 0 {
		z.cap = min(max(z.cap, growth*entries), largestCap)
		return
	}
	if now := time.Now(); now.After(z.until) {
		z.cap, z.until, z.grown = 2*z.cap, now.Add(z.calm), true
	}
	if z.cap >= unlimitedCap {
		z.calm = 0
	}
}

// shrink has the next replies be smaller than one of so many entries that was
// lost.
func (z *sizer) shrink(asked int) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.cap = max(1, min(z.cap, asked)/4)
	if z.grown {
		z.calm = min(2*z.calm, mostCalm)
	}
	z.calm = max(z.calm, leastCalm)
	z.until, z.grown = time.Now().Add(z.calm), false
}
