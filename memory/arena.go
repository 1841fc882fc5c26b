package memory

import "github.com/gostreamer/streamer"

// Blocks start small, because many sinks write little, and double up to a size
// at which allocations do not count.
const (
	smallestBlock = 1 << 10
	largestBlock  = 64 << 10
	headerBlock   = 64
)

// arena copies records into shared blocks: a record costs no allocation of its
// own. What was copied is never written again.
type arena struct {
	bytes   []byte // the rest of the block
	headers []streamer.Header
	block   int
}

// store copies r's payload.
func (a *arena) store(r *streamer.Record) entry {
	return entry{key: a.copy(r.Key), value: a.copy(r.Value), headers: a.copyHeaders(r.Headers), at: r.Time}
}

// copy keeps nil and empty apart.
func (a *arena) copy(b []byte) []byte {
	switch n := len(b); {
	case b == nil:
		return nil
	case n == 0:
		return []byte{}
	case n > len(a.bytes):
		a.block = min(max(2*a.block, smallestBlock), largestBlock)
		if 4*n > a.block {
			return append(make([]byte, 0, n), b...) // not worth giving the rest of the block up
		}
		a.bytes = make([]byte, a.block)
	}
	n := copy(a.bytes, b)
	c := a.bytes[:n:n]
	a.bytes = a.bytes[n:]
	return c
}

func (a *arena) copyHeaders(h []streamer.Header) []streamer.Header {
	n := len(h)
	if n == 0 {
		return nil
	}
	if n > len(a.headers) {
		a.headers = make([]streamer.Header, max(n, headerBlock))
	}
	c := a.headers[:n:n]
	a.headers = a.headers[n:]
	for i := range h {
		c[i] = streamer.Header{Key: h[i].Key, Value: a.copy(h[i].Value)}
	}
	return c
}
