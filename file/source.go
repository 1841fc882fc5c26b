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
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// source reads a log for one consumer, or for the members of a group in this
// process. It reads the file once, front to back, whatever the shards: each of
// them has a start, from which on its messages are delivered. It has no goroutine
// but, where processes share a group, that of sharing.
//
// Its locks, in the order in which they are taken: fetching, committing of its
// claim, mu of its shardTable, the Keeper's own. Only publish, which holds
// committing and mu, tries to take fetching, and does without it. The engine's
// functions in cfg are called with none held but fetching; the exception is
// Retrying, which mend calls with committing held.
type source struct {
	cfg   driver.SourceConfig
	conf  *Config
	place *place
	log   *openLog // changes with mu held
	all   bool     // reads every shard, those that appear later too

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

// input is the log as a source has it open. It changes with committing held.
type input struct {
	f        logfile.Handle
	segments *logfile.Segments // f, if the log is a row of segments
	info     os.FileInfo
	head     []byte // the header as it was; nil while there is none
	header   ss.Header
	r        *logfile.Reader // nil while there is no header
}

// position is how far a source has come in its input, beside the offset of that.
type position struct {
	last        *shard    // of the last message, for what belongs to no shard
	reported    int64     // the offset of unreadable bytes at the end that were reported
	surrendered bool      // the log vanished and its shards were given up
	standby     bool      // no shard is read: all that exist are other processes'
	lagging     int       // how many shards are behind
	front       int64     // where reading was when the source went back for some of them; 0 when it has not
	looked      time.Time // when it was last checked where the place leads
	limit       int64     // the place leads elsewhere, and the log is read up to this offset; never: it does not
}

// atStart is the position in a log of which nothing was read.
func atStart() position { return position{reported: -1, limit: never} }

// claim is what a source has of its group: the files, the locks on shards and,
// where processes share it, a seat.
type claim struct {
	committing sync.Mutex // held by commits and rounds, and while the log is exchanged: then the rest, and saved of each shard, are the holder's

	group    *group.Group // nil in RealTime
	seat     *group.Seat  // nil unless several processes may share the group, and when it was given up
	unlocked bool         // the group was removed, and not all of its locks are taken again

	// mine are the shards that this process owns of a group that several share,
	// also before they are read. It changes with mu held as well.
	mine map[streamer.StreamShard]*shard
}

// whole reports whether the group's files are those that other processes find.
// committing is held.
func (c *claim) whole() bool {
	return !c.unlocked && c.group.Intact() && (c.seat == nil || c.seat.Intact())
}

// resign gives up the process's seat, and keeps the shards that it has: nothing
// more will be read here.
func (c *claim) resign() {
	c.committing.Lock()
	defer c.committing.Unlock()
	if c.seat != nil {
		c.seat.Leave()
		c.seat = nil
	}
}

// takeFrom makes what other has the claim's own. The committing of both is held,
// or they are not in use.
func (c *claim) takeFrom(other *claim) {
	c.group, c.seat, c.mine, c.unlocked = other.group, other.seat, other.mine, other.unlocked
}

// shardTable is what a source knows of the shards of its log. Fetch changes it
// with mu held and reads it without; others hold mu.
type shardTable struct {
	mu sync.Mutex

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
func (s *start) begins(e *logfile.Entry) bool {
	if e.Start >= s.end {
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

// late says whether a message's time is not before ms, which may be before
// 1970.
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
		cfg: c, conf: conf, place: at, log: l, all: c.Shards == nil && c.Start.Kind() != streamer.PerShard,
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
func (t *shardTable) add(at streamer.StreamShard) *shard {
	of := t.streams[at.Stream]
	if of == nil {
		of = map[streamer.ShardID]*shard{}
		t.streams[at.Stream] = of
	}
	if of[at.Shard] == nil {
		of[at.Shard] = newShard(at)
	}
	return of[at.Shard]
}

// shards lists the known ones in order.
func (t *shardTable) shards() []*shard {
	var all []*shard
	for _, of := range t.streams {
		for _, sh := range of {
			all = append(all, sh)
		}
	}
	slices.SortFunc(all, func(a, b *shard) int { return streamer.StreamShard.Compare(a.StreamShard, b.StreamShard) })
	return all
}

// announce tells the engine which shards are read.
func (s *source) announce() { s.cfg.Assigned(s.assigned()) }

func (t *shardTable) assigned() []streamer.StreamShard {
	var all []streamer.StreamShard
	for _, sh := range t.shards() {
		if sh.read {
			all = append(all, sh.StreamShard)
		}
	}
	return all
}

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
func (in *input) origin() int64 {
	if in.segments != nil {
		return in.segments.First() + ss.HeaderSize
	}
	return ss.HeaderSize
}

// positioned says how far reading has come: nothing before the offset is needed again.
func (in *input) positioned() int64 {
	if in.r == nil {
		return 0
	}
	return in.r.Needed()
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
