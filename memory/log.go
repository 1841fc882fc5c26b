package memory

import (
	"errors"
	"fmt"
	"sync"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// logs are the logs of the process by name.
var logs struct {
	sync.Mutex
	byName map[string]*Log
}

// Open returns the log of that name, which it creates if there is none: the log
// of memory://name. Its methods are the faults of a server. They may be called
// concurrently with everything else.
func Open(name string) *Log {
	logs.Lock()
	defer logs.Unlock()
	if l := logs.byName[name]; l != nil {
		return l
	}
	if logs.byName == nil {
		logs.byName = map[string]*Log{}
	}
	l := &Log{
		streams: map[string]*stream{},
		groups:  map[string]*group{},
		sources: map[*source]struct{}{},
		lastID:  released,
	}
	logs.byName[name] = l
	return l
}

// Drop removes the log of that name: the next Open starts an empty one.
// Streamers that have the old one open keep it.
func Drop(name string) {
	logs.Lock()
	defer logs.Unlock()
	delete(logs.byName, name)
}

// Log is an in-process log: streams with numbered shards, and the positions of
// groups.
//
// One mutex guards all of it. It is held briefly: nothing that blocks or calls
// out is called under it, payloads are copied before, and messages are made
// after.
type Log struct {
	mu      sync.Mutex
	streams map[string]*stream
	groups  map[string]*group    // those that have members
	sources map[*source]struct{} // those that are open
	lastID  memberID

	faults faults
	deals  driver.Deals
}

// stream is one life of a name: deleted and created again it is another.
type stream struct {
	name    string
	shards  []*shard
	groups  map[string]*progress // how far each group has come
	deleted bool
}

// create adds a stream and tells the sources that wait for it. mu is held.
func (l *Log) create(name string, shards int) *stream {
	st := &stream{name: name, groups: map[string]*progress{}}
	st.grow(shards)
	l.streams[name] = st
	for s := range l.sources {
		if sub := s.subs[name]; sub != nil && s.always {
			s.kick()
		}
	}
	return st
}

// grow adds n shards.
func (st *stream) grow(n int) {
	slab := make([]shard, n)
	for i := range slab {
		slab[i] = shard{stream: st, id: streamer.ShardID(len(st.shards))}
		st.shards = append(st.shards, &slab[i])
	}
	for _, p := range st.groups {
		p.grow(len(st.shards))
	}
}

// remove deletes a stream under its readers and writers. mu is held.
func (l *Log) remove(st *stream) {
	st.deleted = true
	delete(l.streams, st.name)
	for s := range l.sources {
		if sub := s.subs[st.name]; sub == nil || sub.stream != st {
			continue
		}
		if s.always {
			s.kick()
			continue
		}
		s.missing = st.name
		s.signal()
	}
}

// shardOf finds a shard: ErrNotFound. mu is held.
func (l *Log) shardOf(at streamer.StreamShard) (*shard, error) {
	st := l.streams[at.Stream]
	if st == nil {
		return nil, notFound(at.Stream)
	}
	return st.shard(at.Shard)
}

func (st *stream) shard(id streamer.ShardID) (*shard, error) {
	if id >= streamer.ShardID(len(st.shards)) {
		return nil, &streamer.Error{Stream: st.name, Shard: &id, Kind: streamer.ErrNotFound,
			Err: fmt.Errorf("the stream has shards 0 to %d", len(st.shards)-1)}
	}
	return st.shards[id], nil
}

func notFound(stream string) error {
	return &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound}
}

// What to do about a stream that is not there.
var (
	errNoStreamToRead = errors.New("a consumer makes no stream: send to it first, create it with Admin.Create, or connect with create=always")
	errStreamDeleted  = errors.New("the stream was deleted: with create=always its consumers wait for it to come back")
	errCreateNever    = errors.New("create=never: create it with Admin.Create, or leave that option out")
	errCreateNew      = errors.New("create=new makes a stream that does not exist: name another, or leave that option out")
)

func missing(stream string, hint error) error {
	return &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound, Err: hint}
}

// change runs f under mu and returns when every source has been told of what f
// changed.
func (l *Log) change(f func() error) error {
	l.mu.Lock()
	err := f()
	l.mu.Unlock()
	l.awaitSettled()
	return err
}

// awaitSettled waits for the sources that are changing shards. One that has to
// give a shard up waits for the messages in progress, for 5 s at most.
func (l *Log) awaitSettled() {
	var settling []<-chan struct{}
	l.mu.Lock()
	for s := range l.sources {
		if s.settling != nil {
			settling = append(settling, s.settling)
		}
	}
	l.mu.Unlock()
	for _, settled := range settling {
		<-settled
	}
}
