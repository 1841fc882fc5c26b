package redis

import (
	"context"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/redis/go-redis/v9"
)

// A server refuses a text beyond its proto-max-bulk-len by an answer, and
// closes the connection before it has read the text. A client that has not read
// the answer until writing fails cannot tell it from a lost connection, and
// sends the record again, and all that went with it.

// leastBulk is the least that proto-max-bulk-len can be: no shorter text is
// refused.
const leastBulk = 1 << 20

// isBulky says that a record may be refused for its size, so that it travels
// alone: what becomes of it is then nothing to its neighbours.
func isBulky(r *streamer.Record) bool {
	headers := 0
	for _, h := range r.Headers {
		headers += len(h.Key) + len(h.Value) + 2*maxUvarint
	}
	return max(len(r.Value), len(r.Key), headers) > leastBulk
}

// maxUvarint is what a length before a header takes at most.
const maxUvarint = 10

// run is how many records, of some at least, go out together.
func run(p []*driver.Pending) int {
	first := slices.IndexFunc(p, func(pd *driver.Pending) bool { return isBulky(&pd.Record) })
	switch first {
	case -1:
		return len(p)
	case 0:
		return 1
	}
	return first
}

// carrier is the server that the batch goes to without go-redis, which does not
// read before it has written; nil: go-redis finds the servers. In a cluster
// that is done for a bulky record alone.
func (s *sink) carrier(ctx context.Context) (*redis.Client, error) {
	cluster, ok := s.b.cluster()
	if !ok {
		node, _ := s.b.client.(*redis.Client)
		return node, nil
	}
	if len(s.batch) != 1 || !isBulky(&s.batch[0].Record) {
		return nil, nil
	}
	return cluster.MasterForKey(ctx, s.slots[0].target.key)
}

// isRedirected says that the server which was asked has not the key.
func isRedirected(err error) bool {
	c := code(err)
	return c == "MOVED" || c == "ASK"
}
