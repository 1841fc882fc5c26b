package ss

import (
	"math/rand/v2"
	"testing"

	plain "github.com/gostreamer/streamer/file/internal/reference"
)

// Sixteen bytes a step, and what is left one by one: the same as bit by bit, at
// every length and offset.
func TestChecksumOfEveryLength(t *testing.T) {
	b := make([]byte, 200)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	for n := range len(b) - 16 {
		for from := range 16 {
			if p := b[from : from+n]; Checksum(p) != plain.Checksum(p) {
				t.Fatalf("%x: %04X, want %04X", p, Checksum(p), plain.Checksum(p))
			}
		}
	}
}

func BenchmarkChecksum(b *testing.B) {
	p := make([]byte, 256)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		Checksum(p)
	}
}
