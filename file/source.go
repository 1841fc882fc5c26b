package file

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// source reads a log for one consumer, or for the members of a group in this process. It reads the file once, front to back, whatever the shards: each of them
// has a place from which on its messages are delivered. It has no goroutine of its own but, where processes share a group, that of sharing.
//
// The fields are Fetch's, but for those below mu, which commits and Lag look at too; Fetch changes them with mu held and reads them without.
type source struct {
	cfg   driver.SourceConfig
	conf  *Config
	place *place
	log   *openLog     // changes with mu held
	group *group.Group // nil in RealTime

	seat    *group.Seat // nil unless several processes may share the group, and when it was given up
	sharing *sharing    // nil unless several processes may share the group
	standby bool        // no shard is read: all that exist are other processes'

	mine map[streamer.StreamShard]*shard // the shards that this process owns of a shared group, also before they are read; changes with committing and mu held

	f      handle
	rows   *segmented // f, if the log is a row of segments
	info   os.FileInfo
	head   []byte // the header as it was; nil while there is none
	header ss.Header
	r      *entries // nil while there is no header
	all    bool     // reads every shard, those that appear later too

	batch    batch
	last     *shard // of the last message, for what belongs to no shard
	reported int64  // the offset of unreadable bytes at the end that were reported
	failed   error

	surrendered bool // the log vanished and its shards were given up
	lagging     int  // shards that are behind because they were paused
	looked      time.Time
	limit       int64 // the place leads elsewhere, and the log is read up to this offset; never: it does not
	front       int64 // where reading was when the source went back for some of them; 0 when it has not

	wake    chan struct{} // nil when the source does not follow the log
	resumed chan struct{} // capacity 1: a shard that is behind is not paused any more
	watched bool
	pause   time.Duration
	timer   *time.Timer

	fetching sync.Mutex    // held by Fetch
	done     chan struct{} // closed by Close
	close    sync.Once
	closed   error

	census census // for Lag

	unlocked   bool       // committing's: the group was removed, and not all of its locks are taken again
	committing sync.Mutex // held by commits, and while the log is exchanged or its group changed: then saved below and the group are the holder's

	mu      sync.Mutex
	streams map[string]map[streamer.ShardID]*shard
	fresh   []streamer.StreamShard // that reading has found and the engine need not know yet
	turned  int                    // how often what is read has changed: shards came and went, or another log took the place
	unknown start                  // of shards that were not known when the source was opened
	seen    int64                  // everything before this offset was emitted or passed over
	coming  []*shard               // that have messages in a slab which is being emitted
	is      *identity              // another one for each log that is opened
}

// shard is what a source knows of one shard.
type shard struct {
	streamer.StreamShard
	read  bool  // else it is passed over
	open  bool  // its first message was found: all that follow are delivered
	start start // where that is

	last    uint64 // the highest number emitted or, before that, passed over
	none    bool   // nothing was: last means nothing
	from    uint64 // the first number emitted, if emitted
	emitted bool
	cut     bool // segments were dropped that were not read yet: its next message may not be the next one

	lane

	trail trail         // emitted and not committed, in order; groups only
	saved *group.Cursor // as it is in its file; nil when the shard is not this source's; groups only
	first *group.Cursor // as it was when the source began; groups only

	slot, count int // of the batch that is being made
	coming      int // messages of the slab that is being emitted: last counts them already
}

// step is where a message lies.
type step struct {
	seq          uint64
	start, frame int64
}

// start says which message of a shard is delivered first.
type start struct {
	at  streamer.Position // AtBeginning, AtEnd, AtSeq, AfterSeq or AtOrAfterTime
	end int64             // from this offset on any message is: what is out of range means the nearest end
}

// begins says whether e is, or comes after, the first message.
func (s *start) begins(e *entry) bool {
	if e.start >= s.end {
		return true
	}
	switch s.at.Kind() {
	case streamer.AtBeginning:
		return true
	case streamer.AtSeq:
		return streamer.SeqUint(e.Seq).Compare(s.at.Seq()) >= 0
	case streamer.AfterSeq:
		return streamer.SeqUint(e.Seq).Compare(s.at.Seq()) > 0
	case streamer.AtOrAfterTime:
		return late(e.Time, s.at.Time().UnixMilli())
	}
	return false
}

// late says whether a message's time is not before ms, which may be before 1970.
func late(at uint64, ms int64) bool { return ms <= 0 || at >= uint64(ms) }

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

// OpenSource implements streamer.Backend. Groups are dealt by the engine inside a process. Of those that several processes have members of, each process owns some
// shards, by the kernel's locks.
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
	s := newSource(c, &b.cfg, logs.stay(b.place), l)
	if err := s.openAt(ctx); err != nil {
		s.giveUp()
		return nil, disk.About(b.place.path, err)
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
func newSource(c driver.SourceConfig, conf *Config, at *place, l *openLog) *source {
	s := &source{
		cfg: c, conf: conf, place: at, log: l,
		all: c.Shards == nil && c.Start.Kind() != streamer.PerShard, reported: -1, limit: never,
		done: make(chan struct{}), resumed: make(chan struct{}, 1), census: newCensus(), streams: map[string]map[streamer.ShardID]*shard{},
	}
	if c.Mode != streamer.RealTime {
		s.group = group.New(l.path, c.Group, conf.Sync != 0)
	}
	if s.shared() {
		s.sharing, s.standby, s.mine = newSharing(), true, map[streamer.StreamShard]*shard{}
	}
	if !conf.NoFollow {
		s.wake, s.watched = l.readers.follow(l.path, l.row)
	}
	return s
}

// wants says whether the consumer reads a stream.
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

// add makes a shard known. mu is held, or the source is not yet in use.
func (s *source) add(at streamer.StreamShard) *shard {
	of := s.streams[at.Stream]
	if of == nil {
		of = map[streamer.ShardID]*shard{}
		s.streams[at.Stream] = of
	}
	if of[at.Shard] == nil {
		of[at.Shard] = newShard(at)
	}
	return of[at.Shard]
}

// shards lists the known ones in order.
func (s *source) shards() []*shard {
	var all []*shard
	for _, of := range s.streams {
		for _, sh := range of {
			all = append(all, sh)
		}
	}
	slices.SortFunc(all, func(a, b *shard) int { return streamer.StreamShard.Compare(a.StreamShard, b.StreamShard) })
	return all
}

// announce tells the engine which shards are read.
func (s *source) announce() { s.cfg.Assigned(s.assigned()) }

func (s *source) assigned() []streamer.StreamShard {
	var all []streamer.StreamShard
	for _, sh := range s.shards() {
		if sh.read {
			all = append(all, sh.StreamShard)
		}
	}
	return all
}

// Close implements streamer.Source. What is committed of shards without work in progress moves up to where the log was read, so that opening the
// group again does not read that again.
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
		s.giveUp()
	})
	return s.closed
}

// giveUp releases what the source holds.
func (s *source) giveUp() {
	s.unmoor()
	if s.timer != nil {
		s.timer.Stop()
	}
	logs.leave(s.place)
}

// unmoor releases what the source holds of its log.
func (s *source) unmoor() {
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

// origin is where the log's first frame is.
func (s *source) origin() int64 {
	if s.rows != nil {
		return s.rows.first() + ss.HeaderSize
	}
	return ss.HeaderSize
}

// positioned says how far reading has come: nothing before the offset is needed again.
func (s *source) positioned() int64 {
	if s.r == nil {
		return 0
	}
	if s.r.ahead.set {
		return s.r.ahead.start
	}
	return s.r.Offset()
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
