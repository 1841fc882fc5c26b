package file

import (
	"context"
	"fmt"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// pending is a shard of a group whose first message has to be looked for,
// because its position must be durable before anything reads.
type pending struct {
	sh     *shard
	from   start
	was    *group.Cursor // the position that it replaces because its offsets are not this log's; nil for one that was asked for
	before bool          // the shard has messages before the search
	prev   *uint64       // the last of them that the search has passed
	found  bool
	first  uint64 // its number
	offset int64  // and where it is
}

// planGroup makes the source the owner of its shards, and fixes where each
// starts: where it was asked to, at the committed position, else where one
// without position does.
func (p *planner) planGroup(ctx context.Context) error {
	s := p.s
	committed, err := s.loadGroup()
	if err != nil {
		return err
	}
	p.from = never
	for _, sh := range s.shards() {
		if err := p.planMember(ctx, sh, committed); err != nil {
			return err
		}
	}
	if err := p.search(ctx); err != nil {
		return err
	}
	if err := p.planNew(committed); err != nil {
		return err
	}
	for _, f := range p.reports {
		f()
	}
	return p.save(committed)
}

// loadGroup locks the shards that are read and loads every position. Shards
// that have one exist.
func (s *source) loadGroup() (*group.Cursors, error) {
	list, err := s.group.List()
	if err != nil {
		return nil, err
	}
	for _, at := range list {
		if at.Stream != wildcard && s.wants(at.Stream) {
			s.add(at)
		}
	}
	if err := s.lockAll(); err != nil {
		return nil, err
	}
	return s.loadCursors(s.reads)
}

// loadCursors loads the cursors of the group in the streams that are read:
// those that matter, and some of the others. A damaged one is an error if it
// matters.
func (s *source) loadCursors(matters func(streamer.StreamShard) bool) (*group.Cursors, error) {
	reads := func(at streamer.StreamShard) bool {
		if at.Stream == wildcard {
			return s.wild()
		}
		return s.wants(at.Stream)
	}
	all, err := s.group.LoadSome(s.header.Created, reads, matters)
	return all, cursorError(err)
}

// lockAll takes the locks in order: of two sources that open at the same time
// one gets all it wants.
func (s *source) lockAll() error {
	if s.wild() && s.all {
		if err := s.group.Lock(group.Everywhere); err != nil {
			return err
		}
	}
	for _, sh := range s.shards() {
		if !s.reads(sh.StreamShard) {
			continue
		}
		if err := s.group.Lock(sh.StreamShard); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) reads(at streamer.StreamShard) bool {
	if at.Stream == wildcard {
		return s.wild() && s.all
	}
	_, ok := s.startOf(at)
	return ok
}

func (p *planner) planMember(ctx context.Context, sh *shard, all *group.Cursors) error {
	s := p.s
	to, ok := s.startOf(sh.StreamShard)
	if !ok {
		return nil
	}
	if to.Kind() == streamer.AtCommitted {
		if c := all.Of[sh.StreamShard]; c != nil {
			return p.planCommitted(ctx, sh, c)
		}
		if all.Begun(sh.Stream) {
			p.begin(sh, max(all.SeenOf(sh.Stream), p.v.Start()))
			return nil
		}
		var err error
		if to, ok, err = s.cfg.FirstOf(sh.StreamShard); !ok {
			return err
		}
	}
	return p.planAt(sh, to, nil)
}

// begin starts a shard with its first message, which is not before offset left.
func (p *planner) begin(sh *shard, left int64) {
	p.open(sh, start{streamer.End(), left}, left)
	sh.saved = &group.Cursor{Resume: left}
	p.write = append(p.write, sh)
}

// planAt starts a shard at a position. was is the cursor that it replaces, or
// nil.
func (p *planner) planAt(sh *shard, to streamer.Position, was *group.Cursor) error {
	switch to.Kind() {
	case streamer.AtBeginning:
		p.begin(sh, p.v.Start())
		return nil
	case streamer.AtEnd:
		p.end(sh)
		return nil
	}
	left, err := p.leftOf(sh.StreamShard, to)
	if err != nil {
		return err
	}
	sh.read = true
	p.from = min(p.from, left)
	p.pending = append(p.pending, &pending{sh: sh, from: start{to, p.ending.End}, was: was, before: left > p.v.Start()})
	return nil
}

// end starts a shard behind its last message.
func (p *planner) end(sh *shard) {
	p.open(sh, start{streamer.End(), p.ending.End}, p.ending.End)
	sh.saved = &group.Cursor{Resume: p.ending.End}
	sh.saved.Done, sh.saved.Begun = p.ending.Last[sh.StreamShard]
	sh.last, sh.none = sh.saved.Done, !sh.saved.Begun
	p.write = append(p.write, sh)
}

// planCommitted continues where the group was. The offsets of the cursor are
// right if the log is still the same and as long as it was; else its number is
// looked for.
func (p *planner) planCommitted(ctx context.Context, sh *shard, c *group.Cursor) error {
	s := p.s
	if s.r == nil || c.Log != s.header.Created {
		return p.planRecreated(sh, c)
	}
	same, err := s.matches(ctx, c, p.v)
	if err != nil {
		return err
	}
	switch {
	case same:
		p.open(sh, start{streamer.End(), c.Resume}, c.Resume)
		sh.saved, sh.last, sh.none = c, c.Done, !c.Begun
		return nil
	case c.Begun:
		return p.planAt(sh, streamer.After(streamer.SeqUint(c.Done)), c)
	}
	p.begin(sh, p.v.Start())
	return nil
}

// planRecreated starts a shard in a log that replaces the one of its position.
func (p *planner) planRecreated(sh *shard, c *group.Cursor) error {
	if c.Begun {
		if err := p.reportGone(sh, c, 1); err != nil {
			return err
		}
	}
	p.begin(sh, p.v.Start())
	return nil
}

// reportGone reports that what comes after a position is not there any more, or
// refuses to continue without it.
func (p *planner) reportGone(sh *shard, c *group.Cursor, got uint64) error {
	wanted := logfile.NextSeq(c.Done)
	if p.s.cfg.Reset == streamer.ResetError {
		return &streamer.Error{Stream: sh.Stream, Shard: &sh.Shard, Kind: streamer.ErrPositionGone,
			Err: fmt.Errorf("%d was wanted, the log goes on with %d", wanted, got)}
	}
	p.reports = append(p.reports, func() { p.s.cfg.Gone(sh.StreamShard, streamer.SeqUint(wanted), streamer.SeqUint(got)) })
	return nil
}

// matches reports whether the offsets of a cursor mean in this log what they
// meant when it was written.
func (s *source) matches(ctx context.Context, c *group.Cursor, v *logfile.View) (bool, error) {
	if c.Resume < v.Start() || c.Resume > v.Size {
		return false, nil
	}
	now, err := group.PrintOf(s.f, c.Print.Size)
	if err != nil || now != c.Print {
		return false, err
	}
	if !c.Begun || c.Frame < v.Start() {
		return true, nil
	}
	r := v.Reader()
	r.SeekTo(c.Frame)
	same := false
	err = r.Each(ctx, func(e *logfile.Entry, _ bool) bool {
		same = e.Pos == c.Frame && string(e.Key) == c.Stream && e.Shard == uint64(c.Shard) && e.Seq == c.Done
		return false
	})
	return same, err
}

// search reads the log from the least bound of the pending shards until each
// has its first message, or to the end.
func (p *planner) search(ctx context.Context) error {
	if len(p.pending) == 0 {
		return nil
	}
	left := len(p.pending)
	of := map[string]map[uint64]*pending{}
	for _, q := range p.pending {
		if of[q.sh.Stream] == nil {
			of[q.sh.Stream] = map[uint64]*pending{}
		}
		of[q.sh.Stream][uint64(q.sh.Shard)] = q
	}
	r := p.v.Reader()
	r.SeekTo(p.from)
	err := r.Each(ctx, func(e *logfile.Entry, _ bool) bool {
		if q := of[string(e.Key)][e.Shard]; q != nil && !q.found && q.look(e) {
			left--
		}
		return left > 0
	})
	if err != nil {
		return err
	}
	for _, q := range p.pending {
		if err := p.startFound(q); err != nil {
			return err
		}
	}
	return nil
}

// look reports whether e is the first message. One that is unreadable is passed
// over later, in its place.
func (q *pending) look(e *logfile.Entry) bool {
	if !q.from.begins(e) {
		seq := e.Seq
		q.prev, q.before = &seq, true
		return false
	}
	q.found, q.first, q.offset = true, e.Seq, e.Start
	return true
}

// startFound starts a shard where the search has found its first message.
func (p *planner) startFound(q *pending) error {
	if !q.found {
		return p.startAtEnd(q)
	}
	if q.was != nil && !q.before && q.first > logfile.NextSeq(q.was.Done) {
		if err := p.reportGone(q.sh, q.was, q.first); err != nil {
			return err
		}
	}
	p.open(q.sh, start{streamer.End(), q.offset}, q.offset)
	c := &group.Cursor{Resume: q.offset}
	switch {
	case q.prev != nil:
		c.Begun, c.Done = true, *q.prev
	case q.before && q.first > 0, q.first > 1: // what was trimmed before it is done too
		c.Begun, c.Done = true, q.first-1
	}
	q.sh.saved, q.sh.last, q.sh.none = c, c.Done, !c.Begun
	p.write = append(p.write, q.sh)
	return nil
}

func (p *planner) startAtEnd(q *pending) error {
	p.end(q.sh)
	if q.was == nil || q.sh.saved.Begun && q.sh.saved.Done >= q.was.Done {
		return nil
	}
	got := uint64(1)
	if q.sh.saved.Begun {
		got = logfile.NextSeq(q.sh.saved.Done)
	}
	return p.reportGone(q.sh, q.was, got)
}

// planNew decides about shards that turn out to exist: in a group that has
// positions they are read from their beginning.
func (p *planner) planNew(all *group.Cursors) error {
	s := p.s
	moved := s.cfg.Start.Kind() != streamer.AtCommitted
	if moved || !s.all || !p.begun(all) {
		return p.planUnknown()
	}
	from := s.newFrom(p.v, all)
	s.setUnknown(start{streamer.End(), from})
	p.left = min(p.left, from)
	return nil
}

func (p *planner) begun(all *group.Cursors) bool {
	for _, name := range p.s.cfg.Streams {
		if all.Begun(name) {
			return true
		}
	}
	return false
}

// save makes the positions that are new durable.
func (p *planner) save(all *group.Cursors) error {
	s := p.s
	s.seen = min(p.left, p.ending.End)
	for _, sh := range p.write {
		if s.all {
			sh.saved.Seen = s.seen
		} else {
			sh.saved.Seen = all.SeenOf(sh.Stream)
		}
		if err := s.store(sh.StreamShard, sh.saved); err != nil {
			return err
		}
	}
	if !s.wild() || !s.all {
		return nil
	}
	return s.store(group.Everywhere, &group.Cursor{Resume: s.seen, Seen: s.seen})
}

// store completes a cursor and makes it durable.
func (s *source) store(at streamer.StreamShard, c *group.Cursor) error {
	c.Group, c.StreamShard, c.Log = s.cfg.Group, at, s.header.Created
	if s.r != nil && s.segments == nil { // the first bytes of a segmented log are dropped some day
		p, err := group.PrintOf(s.f, max(c.Resume, ss.HeaderSize))
		if err != nil {
			return err
		}
		c.Print = p
	}
	return s.group.Store(c)
}
