package ss

import (
	"cmp"
	"slices"
)

// stream is what a writer knows of one key and shard: the highest sequence and
// time it has seen and the running checksum.
type stream struct {
	key     string
	shard   uint64
	seq     uint64
	time    uint64
	running uint16
}

func (s *stream) compare(key string, shard uint64) int {
	if c := cmp.Compare(s.key, key); c != 0 {
		return c
	}
	return cmp.Compare(s.shard, shard)
}

// streams is every stream of a file, in the order in which beacons list them:
// by key, then by shard.
type streams struct {
	list  []*stream
	shard map[string]map[uint64]*stream
	last  *stream // that was found: messages of one stream mostly come in a row
}

func (t *streams) find(key string, shard uint64) *stream {
	if l := t.last; l != nil && l.shard == shard && l.key == key {
		return l
	}
	s := t.shard[key][shard]
	if s != nil {
		t.last = s
	}
	return s
}

func (t *streams) add(key string, shard uint64) *stream {
	s := &stream{key: key, shard: shard, running: crcInit}
	i, _ := slices.BinarySearchFunc(t.list, s, func(a, b *stream) int { return a.compare(b.key, b.shard) })
	t.list = slices.Insert(t.list, i, s)
	if t.shard == nil {
		t.shard = map[string]map[uint64]*stream{}
	}
	if t.shard[key] == nil {
		t.shard[key] = map[uint64]*stream{}
	}
	t.shard[key][shard] = s
	return s
}

func (t *streams) remove(s *stream) {
	t.last = nil
	t.list = slices.DeleteFunc(t.list, func(o *stream) bool { return o == s })
	if delete(t.shard[s.key], s.shard); len(t.shard[s.key]) == 0 {
		delete(t.shard, s.key)
	}
}

// see takes one more frame into account.
func (s *stream) see(seq, time uint64, sum uint16) {
	s.seq, s.time = max(s.seq, seq), max(s.time, time)
	s.running = Running(s.running, sum)
}
