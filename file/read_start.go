package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// openAt opens the log and fixes where every shard starts.
func (s *source) openAt(ctx context.Context) error {
	if err := s.openFile(); err != nil {
		return err
	}
	if err := s.readHead(); err != nil {
		return err
	}
	s.identify()
	v, end, err := s.survey(ctx)
	if err != nil {
		return err
	}
	if err := s.know(ctx, v, &end); err != nil {
		return err
	}
	if s.sharing != nil {
		return s.joinGroup(ctx, end.Last)
	}
	p := planner{s: s, v: v, ending: &end, left: never}
	if err := p.plan(ctx); err != nil {
		return err
	}
	if s.r != nil {
		s.r.SeekTo(min(p.left, end.End))
	}
	s.seen = min(p.left, end.End)
	return nil
}

// openFile opens the log, and makes it first if it does not exist and consumers
// make logs.
func (s *source) openFile() error {
	f, err := logfile.OpenToRead(s.log.path)
	if errors.Is(err, fs.ErrNotExist) && s.conf.Create == streamer.CreateAlways {
		if err := s.log.create(s.conf); err != nil && !errors.Is(err, streamer.ErrBusy) {
			return err
		}
		f, err = logfile.OpenToRead(s.log.path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return missing(err)
	}
	if err != nil {
		return disk.Translate(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = logfile.NotRegular(s.log.path, info)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.f, s.info = s.log.through(f), info
	if s.segments, _ = f.(*logfile.Segments); s.segments != nil {
		s.info = logfile.PlainInfo(info)
	}
	return nil
}

// readHead reads the header, if it is there already.
func (s *source) readHead() error {
	h, err := logfile.ReadHeader(s.f)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	if err != nil {
		return logfile.NotLog(s.log.path, err)
	}
	s.header, s.head = h, h.Append(nil)
	s.r = logfile.NewReader(s.f, h.Interval, s.origin())
	return nil
}

// survey looks at the end of the log. A log without a header is empty.
func (s *source) survey(ctx context.Context) (*logfile.View, logfile.Ending, error) {
	if s.r == nil {
		return logfile.NewView(s.f, nil, defaultBeacon, ss.HeaderSize), logfile.Ending{End: ss.HeaderSize}, nil
	}
	info, err := s.f.Stat()
	if err != nil {
		return nil, logfile.Ending{}, err
	}
	v := logfile.NewView(s.f, s.segments, s.header.Interval, info.Size())
	e, err := v.Ending(ctx)
	return v, e, err
}

// know collects the shards that exist: what the end of the log names, what the
// configuration says, and those that the consumer asks for, which must exist. A
// group knows every shard, because the position of each has to be durable:
// where the end of the log does not name all, they are looked for.
func (s *source) know(ctx context.Context, v *logfile.View, e *logfile.Ending) error {
	for _, name := range s.cfg.Streams {
		for i := range s.conf.Shards {
			if name != wildcard {
				s.add(streamer.StreamShard{Stream: name, Shard: streamer.ShardID(i)})
			}
		}
	}
	for at := range e.Last {
		if s.wants(at.Stream) {
			s.add(at)
		}
	}
	missing := s.missing()
	from, err := s.unknownFrom(v, e, len(missing) > 0)
	if err != nil || from == never {
		return err
	}
	c := logfile.NewCatalogue(from)
	if err := c.Read(ctx, v); err != nil {
		return err
	}
	for _, at := range missing {
		if !c.Has(at) {
			return &streamer.Error{Stream: at.Stream, Shard: &at.Shard, Kind: streamer.ErrNotFound, Err: errors.New("the log has no such shard")}
		}
		s.add(at)
	}
	for stream, of := range c.Streams {
		if !s.wants(stream) {
			continue
		}
		for id, x := range of {
			at := streamer.StreamShard{Stream: stream, Shard: id}
			s.add(at)
			e.See(at, x.Last)
		}
	}
	return nil
}

// unknownFrom is where to look for shards that the end of the log does not
// name; never where that is not needed.
func (s *source) unknownFrom(v *logfile.View, e *logfile.Ending, missing bool) (int64, error) {
	switch {
	case missing:
		return v.Start(), nil
	case s.group == nil || e.Whole:
		return never, nil
	case s.cfg.Start.Kind() != streamer.AtCommitted:
		return v.Start(), nil
	}
	all, err := s.loadCursors(func(streamer.StreamShard) bool { return false })
	if err != nil {
		return 0, err
	}
	return s.newFrom(v, all), nil
}

// newFrom is an offset before which no shard that is new to the group has
// anything.
func (s *source) newFrom(v *logfile.View, all *group.Cursors) int64 {
	from := int64(never)
	for _, name := range s.cfg.Streams {
		from = min(from, max(all.SeenOf(name), v.Start()))
	}
	return from
}

// missing are the shards that the consumer asks for and that are not known.
func (s *source) missing() (all []streamer.StreamShard) {
	for stream, ids := range s.cfg.Shards {
		for _, id := range ids {
			if s.streams[stream][id] == nil && stream != wildcard {
				all = append(all, streamer.StreamShard{Stream: stream, Shard: id})
			}
		}
	}
	slices.SortFunc(all, streamer.StreamShard.Compare)
	return all
}

// planner works out where the shards of a source start.
type planner struct {
	s      *source
	v      *logfile.View
	ending *logfile.Ending
	left   int64 // where reading has to start for all of them

	pending []*pending // shards of a group whose first message has to be found
	from    int64      // where the search for them starts
	write   []*shard   // whose cursors are new
	times   *logfile.TimeSearch
	lefts   map[int64]int64 // what leftOfAll has found
	reports []func()        // to call when no lock is held
}

// plan fixes the start of every known shard, and of those that will turn out to
// exist. In a group each is durable when it returns.
func (p *planner) plan(ctx context.Context) error {
	if p.s.group != nil {
		return p.planGroup(ctx)
	}
	for _, sh := range p.s.shards() {
		at, ok, err := p.s.first(sh.StreamShard)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		left, err := p.leftOf(sh.StreamShard, at)
		if err != nil {
			return err
		}
		p.open(sh, start{at, p.ending.End}, left)
		p.behind(sh, at)
	}
	return p.planUnknown()
}

// behind notes which message comes before the first one, as far as that is
// known: for Lag.
func (p *planner) behind(sh *shard, at streamer.Position) {
	switch at.Kind() {
	case streamer.AtEnd:
		seq, ok := p.ending.Last[sh.StreamShard]
		sh.last, sh.none = seq, !ok
	case streamer.AtSeq:
		sh.last = at.Seq().Uint()
		sh.none = sh.last == 0
		sh.last -= min(sh.last, 1)
	case streamer.AfterSeq:
		sh.last, sh.none = at.Seq().Uint(), false
	}
}

// first is where a shard starts without a committed position. ok is false when
// it is not to be read.
func (s *source) first(at streamer.StreamShard) (p streamer.Position, ok bool, err error) {
	if p, ok = s.startOf(at); !ok || p.Kind() != streamer.AtCommitted {
		return p, ok, nil
	}
	return s.cfg.FirstOf(at)
}

// startOf is SourceConfig.StartOf where shards can be chosen of every stream.
func (s *source) startOf(at streamer.StreamShard) (streamer.Position, bool) {
	if ids, all := s.cfg.Shards[wildcard]; all && slices.Contains(ids, at.Shard) {
		return s.cfg.Start.Of(at)
	}
	return s.cfg.StartOf(at)
}

// open makes a shard one that is read.
func (p *planner) open(sh *shard, from start, left int64) {
	sh.read, sh.start = true, from
	p.left = min(p.left, left)
}

// leftOf is an offset before which no message of a shard is to be delivered.
func (p *planner) leftOf(at streamer.StreamShard, to streamer.Position) (int64, error) {
	switch to.Kind() {
	case streamer.AtEnd:
		return p.ending.End, nil
	case streamer.AtSeq, streamer.AfterSeq:
		below := func(seq uint64) bool {
			c := streamer.SeqUint(seq).Compare(to.Seq())
			return c < 0 || c == 0 && to.Kind() == streamer.AfterSeq
		}
		n, limit, err := p.v.SeqBefore(at.Stream, uint64(at.Shard), below)
		if err != nil {
			return 0, err
		}
		if n, err = p.v.Closer(n, limit, at.Stream, uint64(at.Shard), below); err != nil {
			return 0, err
		}
		return p.v.Behind(n, func(f *ss.Frame) bool {
			if f.Shard == uint64(at.Shard) && string(f.Key) == at.Stream {
				return !below(f.Seq)
			}
			return p.s.wants(string(f.Key))
		})
	case streamer.AtOrAfterTime:
		ms := to.Time().UnixMilli()
		if p.s.all {
			return p.leftOfAll(ms)
		}
		return p.leftByTime(ms, logfile.Span{Stream: at.Stream, From: uint64(at.Shard), To: uint64(at.Shard)})
	}
	return p.v.Start(), nil
}

// leftOfAll is leftByTime for all that the source reads, shards of which
// nothing knows yet included.
func (p *planner) leftOfAll(ms int64) (left int64, err error) {
	if left, ok := p.lefts[ms]; ok {
		return left, nil
	}
	spans := []logfile.Span{{Every: true}}
	if !p.s.wild() {
		spans = spans[:0]
		for _, name := range p.s.cfg.Streams {
			spans = append(spans, logfile.Span{Stream: name, To: math.MaxUint64})
		}
	}
	if left, err = p.leftByTime(ms, spans...); err != nil {
		return 0, err
	}
	if p.lefts == nil {
		p.lefts = map[int64]int64{}
	}
	p.lefts[ms] = left
	return left, nil
}

// leftByTime is an offset before which every message of the spans is older than
// ms.
func (p *planner) leftByTime(ms int64, spans ...logfile.Span) (int64, error) {
	if p.times == nil {
		p.times = logfile.NewTimeSearch(p.v)
	}
	least := int64(never)
	for _, of := range spans {
		of.Ms = uint64(max(ms, 0))
		n, err := p.times.Before(of)
		if err != nil {
			return 0, err
		}
		least = min(least, n)
	}
	return p.v.Behind(least, func(f *ss.Frame) bool { return late(f.Time, ms) && p.s.wants(string(f.Key)) })
}

// setUnknown says where shards start that turn out to exist. Members of a group
// plan while Lag counts.
func (s *source) setUnknown(from start) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknown = from
}

// planUnknown decides about shards that turn out to exist. In RealTime they
// start where the known ones do.
func (p *planner) planUnknown() error {
	s := p.s
	if !s.all {
		s.setUnknown(start{streamer.End(), never})
		return nil
	}
	to := s.cfg.Start
	if to.Kind() == streamer.AtCommitted {
		var ok bool
		var err error
		if to, ok, err = s.cfg.FirstOf(streamer.StreamShard{}); !ok {
			s.setUnknown(start{streamer.End(), never})
			return err
		}
	}
	s.setUnknown(start{to, p.ending.End})
	left, err := p.v.Start(), error(nil)
	switch to.Kind() {
	case streamer.AtEnd:
		left = p.ending.End
	case streamer.AtSeq, streamer.AfterSeq:
		if p.left != never { // numbers are for a source of one shard
			return nil
		}
	case streamer.AtOrAfterTime:
		left, err = p.leftOfAll(to.Time().UnixMilli())
	}
	p.left = min(p.left, left)
	return err
}
