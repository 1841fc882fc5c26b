package file

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/disk"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// Report is what Verify found in a log.
type Report struct {
	Frames   int64 // whole ones
	Messages int64 // those of users' streams
	Beacons  int64 // readable ones
	Shards   []ShardReport

	Damaged      int64 // ranges of bytes that are not what they should be
	DamagedBytes int64
	// Torn is how many bytes at the end are what a crash leaves, or a writer at
	// work: part of a frame, or zeros. The next writer cuts them off; they are
	// no damage.
	Torn int64

	Ended       bool  // the last frame is an end of stream
	EndedInside int64 // ends of stream that others follow: SeaStreamer's writers leave them, readers skip them
	// Unsummed is how many entries of beacons have a running checksum that is
	// not that of the messages before. SeaStreamer's writers begin it again
	// when they open a log again, and no reader looks at it.
	Unsummed int64
}

// ShardReport is what a log has of one shard.
type ShardReport struct {
	streamer.StreamShard
	Messages    int64
	Bytes       int64 // of payloads
	First, Last streamer.SeqNo
	Oldest      time.Time // of the first message
	Latest      time.Time // the highest of all
	Missing     int64     // numbers between First and Last that no message has
}

// Verify reads the whole log and calls found with each range of bytes that is
// damaged, in order: frames and beacons that cannot be read, that contradict
// each other, or that do not end as they should. progress, if not nil, is
// notified now and then how many bytes of Size have been read. The error is one
// of reading.
func (l *Log) Verify(ctx context.Context, found func(*CorruptionError), progress func(at int64)) (*Report, error) {
	c := checker{l: l, found: found, shards: map[streamer.StreamShard]*tally{}, exact: true}
	s := ss.NewScanner(io.NewSectionReader(l.v.Src, 0, l.v.Size), l.h.Interval, ss.HeaderSize)
	var failed error
	err := eachFrame(ctx, s, func(f *ss.Frame, d *ss.Damage) bool {
		if progress != nil {
			progress(s.Offset())
		}
		if d != nil {
			failed = c.damage(d)
		} else {
			failed = c.frame(f)
		}
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err == nil {
		err = c.end(s)
	}
	if err != nil {
		return nil, disk.About(l.path, err)
	}
	return c.report(), nil
}

// checker holds frames and beacons against each other.
type checker struct {
	l      *Log
	found  func(*CorruptionError)
	r      Report
	shards map[streamer.StreamShard]*tally
	last   *tally
	exact  bool // every frame so far was readable: what beacons sum up is known
	eos    bool // the last frame was an end of stream
	next   int64
}

// tally is one shard's.
type tally struct {
	ShardReport
	first, max uint64
	ms         uint64 // the latest time
	running    uint16
}

func (c *checker) report() *Report {
	for _, t := range c.shards {
		if t.Stream == ss.Internal {
			continue
		}
		t.First, t.Last, t.Latest = streamer.SeqUint(t.first), streamer.SeqUint(t.max), logfile.TimeOf(t.ms)
		if span := t.max - t.first; int64(span) >= t.Messages {
			t.Missing = int64(span) + 1 - t.Messages
		}
		c.r.Messages += t.Messages
		c.r.Shards = append(c.r.Shards, t.ShardReport)
	}
	slices.SortFunc(c.r.Shards, func(a, b ShardReport) int { return streamer.StreamShard.Compare(a.StreamShard, b.StreamShard) })
	c.r.Ended = c.eos
	return &c.r
}

func (c *checker) wrong(offset, length int64, err error) {
	c.r.Damaged++
	c.r.DamagedBytes += length
	c.found(&CorruptionError{Path: c.l.path, Offset: offset, Length: length, Err: err})
}

func (c *checker) damage(d *ss.Damage) error {
	c.exact, c.eos = false, false
	c.wrong(d.Offset, d.Length, d.Err)
	c.next = d.Offset + d.Length
	return nil
}

// frame checks the beacons in front of a frame and in it, then counts it.
func (c *checker) frame(f *ss.Frame) error {
	if c.eos {
		c.r.EndedInside++
	}
	c.eos = f.IsEOS()
	interval := int64(c.l.h.Interval)
	at, left := f.Pos, ss.FrameSize(len(f.Key), len(f.Payload))
	if at%interval == 0 && at >= c.next {
		size, err := c.beacon(at, 0)
		if err != nil {
			return err
		}
		at += size
	}
	c.count(f)
	for {
		n := min(left, interval-at%interval)
		at, left = at+n, left-n
		if left == 0 {
			break
		}
		size, err := c.beacon(at, left)
		if err != nil {
			return err
		}
		at += size
	}
	if !f.Marked {
		c.wrong(f.End-1, 1, ErrFrame)
	}
	c.r.Frames++
	return nil
}

func (c *checker) count(f *ss.Frame) {
	if c.last == nil || c.last.Stream != string(f.Key) || uint64(c.last.Shard) != f.Shard {
		where := logfile.ShardOf(f)
		if c.last = c.shards[where]; c.last == nil {
			c.last = &tally{ShardReport: ShardReport{StreamShard: where, Oldest: logfile.TimeOf(f.Time)}, first: f.Seq, running: ss.Checksum(nil)}
			c.shards[where] = c.last
		}
	}
	t := c.last
	t.Messages++
	t.Bytes += int64(len(f.Payload))
	t.first, t.max, t.ms = min(t.first, f.Seq), max(t.max, f.Seq), max(t.ms, f.Time)
	t.running = ss.Running(t.running, f.Sum)
}

// beacon checks the beacon at an offset, which splits a frame of which left
// bytes are still to come, and returns its size.
func (c *checker) beacon(offset, left int64) (size int64, err error) {
	b, ok, err := c.l.v.Beacon(offset / int64(c.l.h.Interval))
	if err != nil || !ok {
		return 0, err // the scanner has passed it, so it was readable a moment ago
	}
	c.r.Beacons++
	if int64(b.Remaining) != left || !b.Marked || !c.plausible(b.Items) {
		c.wrong(offset, int64(b.Size), ErrBeacon)
	}
	return int64(b.Size), nil
}

// plausible holds a beacon against the frames before it. Where some of those
// could not be read it knows nothing.
func (c *checker) plausible(items []ss.Item) bool {
	if !c.exact {
		return true
	}
	for _, i := range items {
		t := c.shards[streamer.StreamShard{Stream: i.Key, Shard: streamer.ShardID(i.Shard)}]
		if t == nil || i.Seq > t.max || i.Time > t.ms {
			return false
		}
		if i.Running != t.running {
			c.r.Unsummed++
		}
	}
	return true
}

// end looks at what is behind the last whole frame.
func (c *checker) end(s *ss.Scanner) error {
	from, size := s.Offset(), c.l.v.Size
	if interval := int64(c.l.h.Interval); from%interval == 0 && from < size && s.Stuck() == nil {
		b, ok, err := c.l.v.Beacon(from / interval)
		if err != nil {
			return err
		}
		if ok {
			if _, err := c.beacon(from, 0); err != nil {
				return err
			}
			from += int64(b.Size)
		}
	}
	if from >= size {
		return nil
	}
	c.eos = false
	damaged, err := logfile.WorthKeeping(c.l.v.Src, s, size)
	if err != nil {
		return err
	}
	if !damaged {
		c.r.Torn = size - from
		return nil
	}
	cause := ErrFrame
	if d := s.Stuck(); d != nil {
		cause = d.Err
	}
	c.wrong(from, size-from, cause)
	return nil
}
