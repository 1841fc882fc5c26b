package file

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/group"
)

// source reads a log for one consumer, or for the members of a group in this
// process. It reads the file once, front to back, whatever the shards: each of
// them has a start, from which on its messages are delivered. It has no
// goroutine but, where processes share a group, that of sharing.
//
// Its locks, in the order in which they are taken: fetching, committing of its
// claim, mu of its shardTable, the Keeper's own. Only publish, which holds
// committing and mu, tries to take fetching, and does without it. The engine's
// functions in cfg are called with none held but fetching; the exception is
// Retrying, which mend calls with committing held.
type source struct {
	cfg      driver.SourceConfig
	conf     *Config
	location *location
	log      *openLog // changes with mu held
	all      bool     // reads every shard, those that appear later too

	fetching sync.Mutex // held by Fetch: input, position, follower, batch and failed are the holder's
	input
	position
	follower
	batch  batch
	failed error

	claim
	sharing *sharing // nil unless several processes may share the group; changes with committing and mu held
	shardTable

	census census // for Lag

	done   chan struct{} // closed by Close
	close  sync.Once
	closed error
}

// position is the state of reading its input, apart from the offset of
// that.
type position struct {
	last        *shard    // of the last message, for what belongs to no shard
	reported    int64     // the offset of unreadable bytes at the end that were reported
	surrendered bool      // the log vanished and its shards were given up
	standby     bool      // no shard is read: all that exist are other processes'
	lagging     int       // how many shards are behind
	front       int64     // where reading was when the source went back for some of them; 0 when it has not
	looked      time.Time // when it was last checked where the location leads
	limit       int64     // the location leads elsewhere, and the log is read up to this offset; never: it does not
}

// atStart is the position in a log of which nothing was read.
func atStart() position { return position{reported: -1, limit: never} }

// never is an offset that no log reaches.
const never = math.MaxInt64

// groupSource is a source whose progress is kept.
type groupSource struct{ *source }

var (
	_ driver.Source          = (*source)(nil)
	_ driver.Lagger          = (*source)(nil)
	_ driver.Pauser          = (*source)(nil)
	_ driver.CursorCommitter = groupSource{}
)

// OpenSource implements driver.Backend. Groups are dealt by the engine inside
// a process. Of those that several processes have members of, each process owns
// some shards, by the kernel's locks.
func (b *backend) OpenSource(ctx context.Context, c driver.SourceConfig) (driver.Source, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	if c.Mode == streamer.LoadBalanced {
		return nil, driver.ErrNoGroups
	}
	for _, name := range c.Streams {
		if err := checkName(name); err != nil && name != wildcard {
			return nil, err
		}
	}
	l, err := b.current()
	if err != nil {
		return nil, err
	}
	s := newSource(c, &b.cfg, logs.shareLocation(b.location), l)
	if err := s.openAt(ctx); err != nil {
		s.closeAll()
		return nil, disk.About(b.location.path, err)
	}
	s.announce()
	if c.Mode == streamer.RealTime {
		return s, nil
	}
	s.log.owners.enter(s)
	if s.sharing != nil {
		s.startSharing()
	}
	return groupSource{s}, nil
}

// newSource is one that takes over at and l.
func newSource(c driver.SourceConfig, conf *Config, at *location, l *openLog) *source {
	s := &source{
		cfg: c, conf: conf, location: at, log: l, all: c.Shards == nil && c.Start.Kind() != streamer.PerShard,
		position: atStart(), follower: follower{resumed: make(chan struct{}, 1)},
		shardTable: shardTable{streams: map[string]map[streamer.ShardID]*shard{}},
		census:     newCensus(), done: make(chan struct{}),
	}
	if c.Mode != streamer.RealTime {
		s.group = group.New(l.path, c.Group, conf.Sync != 0)
	}
	if s.shared() {
		s.sharing, s.standby, s.mine = newSharing(), true, map[streamer.StreamShard]*shard{}
	}
	if !conf.NoFollow {
		s.wake, s.watched = l.readers.follow(l.path, l.segmented)
	}
	return s
}

// wants reports whether the consumer reads a stream.
func (s *source) wants(stream string) bool {
	for _, name := range s.cfg.Streams {
		if name == stream || name == wildcard {
			return true
		}
	}
	return false
}

// shared reports whether several processes may share the group.
func (s *source) shared() bool { return s.cfg.Dealt && s.cfg.Mode != streamer.RealTime }

func (s *source) wild() bool { return slices.Contains(s.cfg.Streams, wildcard) }

// announce tells the engine which shards are read.
func (s *source) announce() { s.cfg.Assigned(s.assigned()) }

// Close implements driver.Source. What is committed of shards without work in
// progress moves up to where the log was read, so that opening the group again
// does not read that again.
func (s *source) Close(context.Context) error {
	s.close.Do(func() {
		close(s.done)
		s.fetching.Lock()
		defer s.fetching.Unlock()
		if s.sharing != nil {
			s.sharing.stop()
		}
		if s.group != nil {
			s.committing.Lock()
			s.closed = s.refresh(0)
			s.committing.Unlock()
		}
		s.closeAll()
	})
	return s.closed
}

// closeAll releases what the source holds.
func (s *source) closeAll() {
	s.closeLog()
	if s.timer != nil {
		s.timer.Stop()
	}
	logs.releaseLocation(s.location)
}

// closeLog releases what the source holds of its log.
func (s *source) closeLog() {
	if s.group != nil {
		s.log.owners.leave(s)
		if s.sharing != nil {
			s.resign() // before others see free shards: they divide these among themselves
		}
		_ = s.group.Unlock()
	}
	if s.f != nil {
		_ = s.f.Close()
	}
	if s.wake != nil {
		s.log.readers.unfollow(s.wake)
	}
	logs.release(s.log)
}

// missing says what to do about a log that does not exist.
func missing(err error) error {
	return &streamer.Error{Kind: streamer.ErrNotFound,
		Err: fmt.Errorf("%w (a consumer makes no log: send to it first, create a stream with Admin.Create, or connect with create=always)", err)}
}

var errDeleted = errors.New("the log was deleted, replaced or cut off while it was read, or its path leads to another now; with create=always its consumers go on in that, or wait for it")

func notThere(path string) error {
	return &streamer.Error{Kind: streamer.ErrNotFound, Err: fmt.Errorf("%s: %w", path, errDeleted)}
}
