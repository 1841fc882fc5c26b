package file

import (
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// TestPausedShardsMissNothing: whatever is paused and resumed and when, each
// shard's messages come once and in order; and a group that is closed on the
// way continues behind what it committed.
func TestPausedShardsMissNothing(t *testing.T) {
	for seed := range uint64(12) {
		b, all := madeUp(seed, []uint32{256, 1024, 1 << 20}[seed%3], false)
		r := newRig(t, func(c *Config) { c.NoFollow = true })
		r.write(b)
		p := pausing{rig: r, rnd: rand.New(rand.NewPCG(seed, 3)), want: map[streamer.StreamShard][]uint64{}, done: map[streamer.StreamShard]int{}}
		for _, m := range all {
			p.want[m.at] = append(p.want[m.at], m.seq)
		}
		t.Run(fmt.Sprint("realtime ", seed), func(*testing.T) { p.read(sourceConfig(wildcard), -1) })
		c := sourceConfig(wildcard)
		c.Mode, c.Group = streamer.Resumable, "g"
		t.Run(fmt.Sprint("resumable ", seed), func(*testing.T) {
			for range 6 {
				p.read(c, 20)
			}
			p.read(c, -1)
		})
	}
}

type pausing struct {
	*rig
	rnd  *rand.Rand
	want map[streamer.StreamShard][]uint64 // the numbers of every shard
	done map[streamer.StreamShard]int      // how many of them are committed
}

// read opens a source and fetches, some times or to the end, pausing shards at
// random. In a group it commits a part of what it got.
func (p *pausing) read(c driver.SourceConfig, fetches int) {
	p.Helper()
	c.MaxBatch = 1 + p.rnd.IntN(9)
	b, err := newBackend(p.cfg)
	p.ok(err)
	defer b.Close(p.ctx)
	src, err := b.OpenSource(p.ctx, c)
	p.ok(err)
	next := map[streamer.StreamShard]int{}
	if c.Mode != streamer.RealTime {
		for at, n := range p.done {
			next[at] = n
		}
	}
	paused := map[streamer.StreamShard]bool{}
	for n := 0; n != fetches; n++ {
		at := p.someShard()
		paused[at] = p.rnd.IntN(3) > 0 && len(paused) < 4
		if !paused[at] {
			delete(paused, at)
		}
		src.(driver.Pauser).Pause(at, paused[at])
		if n > 400 || len(paused) == len(p.want) {
			for at := range paused {
				src.(driver.Pauser).Pause(at, false)
			}
			clear(paused)
		}
		err := p.fetch(src, next, paused)
		if err == io.EOF && len(paused) == 0 {
			break
		}
		if err != nil && err != io.EOF {
			p.Fatal(err)
		}
	}
	if fetches < 0 {
		for at, all := range p.want {
			if next[at] != len(all) {
				p.Fatalf("%d of %d messages of %v", next[at], len(all), at)
			}
		}
	}
	p.commit(src, next)
	p.ok(src.Close(p.ctx))
}

// fetch calls Fetch once and checks what comes. While shards are paused a Fetch
// may have nothing to give.
func (p *pausing) fetch(src driver.Source, next map[streamer.StreamShard]int, paused map[streamer.StreamShard]bool) error {
	if len(paused) > 0 && p.rnd.IntN(4) == 0 {
		for at := range paused { // else it waits for this
			src.(driver.Pauser).Pause(at, false)
		}
		clear(paused)
	}
	ctx, cancel := contextWithin(p.ctx, len(paused) > 0)
	defer cancel()
	err := src.Fetch(ctx, func(ms []streamer.Message) {
		for _, m := range ms {
			at := streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
			if next[at] >= len(p.want[at]) || m.Seq.Uint() != p.want[at][next[at]] {
				p.Fatalf("message %d of %v is %v", next[at], at, m.Seq)
			}
			next[at]++
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (p *pausing) someShard() streamer.StreamShard {
	i := p.rnd.IntN(len(p.want))
	for _, stream := range []string{"busy", "other", "rare"} {
		for shard := range streamer.ShardID(2) {
			at := streamer.StreamShard{Stream: stream, Shard: shard}
			if p.want[at] == nil {
				continue
			}
			if i--; i < 0 {
				return at
			}
		}
	}
	return streamer.StreamShard{}
}

func (p *pausing) commit(src driver.Source, next map[streamer.StreamShard]int) {
	committer, ok := src.(driver.CursorCommitter)
	if !ok {
		return
	}
	for at, n := range next {
		if n -= p.rnd.IntN(4); n > p.done[at] {
			p.ok(committer.CommitCursors(p.ctx, []driver.Mark{{StreamShard: at, Seq: streamer.SeqUint(p.want[at][n-1])}}))
			p.done[at] = n
		}
	}
}
