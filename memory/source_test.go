package memory

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestEveryPosition(t *testing.T) {
	r := newRig(t, Config{})
	s := r.sink("s")
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for i := range 1000 {
		r.write(s, streamer.Record{Stream: "s", Value: fmt.Append(nil, i), Time: noon.Add(time.Duration(i) * time.Nanosecond)})
	}
	r.ok(r.log.Trim(at("s", 0), streamer.SeqUint(300)))
	for _, c := range []struct {
		p    streamer.Position
		want int
	}{
		{streamer.Beginning(), 300},
		{streamer.End(), 1000},
		{streamer.At(streamer.SeqUint(500)), 500},
		{streamer.After(streamer.SeqUint(500)), 501},
		{streamer.At(streamer.SeqUint(0)), 300},
		{streamer.After(streamer.SeqUint(299)), 300},
		{streamer.After(streamer.SeqUint(999)), 1000},
		{streamer.At(streamer.SeqUint(math.MaxUint64)), 1000},
		{streamer.After(streamer.SeqUint(math.MaxUint64)), 1000},
		{streamer.After(streamer.SeqDecimal("99999999999999999999999999", 7)), 1000},
		{streamer.AtTime(noon.Add(700)), 700},
		{streamer.AtTime(noon.Add(-time.Hour)), 300},
		{streamer.AtTime(noon.Add(time.Hour)), 1000},
		{streamer.Each(map[streamer.StreamShard]streamer.Position{at("s", 0): streamer.At(streamer.SeqUint(400))}), 400},
	} {
		rd := r.open(driver.SourceConfig{Streams: []string{"s"}, Start: c.p, MaxBatch: 1})
		if c.want == 1000 {
			rd.nothing()
		} else if got := rd.read(1)[0].Seq; got != streamer.SeqUint(uint64(c.want)) {
			t.Errorf("%v starts at %v, want %d", c.p, got, c.want)
		}
		rd.close()
	}
	_, err := r.tryOpen(driver.SourceConfig{Streams: []string{"s"}, Start: streamer.At(streamer.SeqNo{})})
	r.is(err, streamer.ErrInvalid)
}

func TestSendersTimesMayBeInAnyOrder(t *testing.T) {
	r := newRig(t, Config{})
	s := r.sink("s")
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, minute := range []int{0, 9, 3, 1} {
		r.write(s, streamer.Record{Stream: "s", Value: fmt.Append(nil, minute), Time: noon.Add(time.Duration(minute) * time.Minute)})
	}
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}, Start: streamer.AtTime(noon.Add(2 * time.Minute))})
	equal(t, rd.values(3), []string{"9", "3", "1"})
}

func TestLatestSeesWhatIsSentAfterOpening(t *testing.T) {
	r := newRig(t, Config{Shards: 3})
	r.create("s", 3)
	r.send("s", 1, 0, 5)
	a := r.open(driver.SourceConfig{Streams: []string{"s"}, Reset: streamer.Latest})
	b := r.open(driver.SourceConfig{Streams: []string{"s"}, Reset: streamer.Latest})
	r.send("s", 1, 5, 5)
	r.send("s", 2, 10, 1)
	for _, rd := range []*reader{a, b} {
		equal(t, rd.values(6), append(numbers(5, 5), "10"))
		equal(t, rd.log(), []string{"assigned 3"})
	}
}

func TestAFetchBlocksUntilAMessageComesOrItsContextEnds(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- rd.src.Fetch(ctx, func([]streamer.Message) { t.Error("a message") }) }()
	cancel()
	r.is(<-ended, context.Canceled)
	go func() { r.send("s", 0, 7, 1) }()
	equal(t, rd.values(1), []string{"7"})

	r.send("s", 0, 8, 1)
	r.is(rd.src.Fetch(ctx, func([]streamer.Message) { t.Error("a message won over an ended context") }), context.Canceled)
	equal(t, rd.values(1), []string{"8"})
}

func TestASlabHasAtMostMaxBatchAndKeepsShardsTogether(t *testing.T) {
	r := newRig(t, Config{Shards: 4})
	r.create("s", 4)
	for id := range streamer.ShardID(4) {
		r.send("s", id, 0, 300)
	}
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}, MaxBatch: 130})
	next := map[streamer.ShardID]uint64{}
	for n := 0; n < 1200; {
		slab, err := rd.fetch()
		r.ok(err)
		if len(slab) > 130 {
			t.Fatalf("a slab of %d", len(slab))
		}
		changes := 0
		for i, m := range slab {
			if m.Seq != streamer.SeqUint(next[m.Shard]) {
				t.Fatalf("shard %d: %v, want %d", m.Shard, m.Seq, next[m.Shard])
			}
			next[m.Shard]++
			if i > 0 && slab[i-1].Shard != m.Shard {
				changes++
			}
		}
		if changes > 3 {
			t.Fatalf("%d changes of shard in a slab", changes)
		}
		n += len(slab)
	}
	rd.nothing()
}

func TestAPausedShardLeavesTheOthersAlone(t *testing.T) {
	r := newRig(t, Config{Shards: 2})
	r.create("s", 2)
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}})
	r.send("s", 0, 0, 3)
	pauser := rd.src.(driver.Pauser)
	pauser.Pause(at("s", 0), true)
	pauser.Pause(at("s", 9), true)
	pauser.Pause(at("other", 0), true)
	r.send("s", 0, 3, 3)
	r.send("s", 1, 100, 2)
	equal(t, rd.values(2), numbers(100, 2))
	rd.nothing()
	pauser.Pause(at("s", 0), false)
	equal(t, rd.values(6), numbers(0, 6))
}

func TestOnlyTheShardsAskedForAreRead(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 3)
	for id := range streamer.ShardID(3) {
		r.send("s", id, int(id), 1)
	}
	rd := r.open(driver.SourceConfig{Streams: []string{"s", "s"}, Shards: map[string][]streamer.ShardID{"s": {1}}})
	equal(t, rd.values(1), []string{"1"})
	equal(t, rd.shards(), []streamer.ShardID{1})
	_, err := r.tryOpen(driver.SourceConfig{Streams: []string{"s"}, Shards: map[string][]streamer.ShardID{"s": {1, 3}}})
	r.is(err, streamer.ErrNotFound)
}

func TestATrimmedPositionGoesOnAtTheOldestLeftAndIsReported(t *testing.T) {
	for _, acks := range []Acks{ByCursor, ByMessage} {
		t.Run(acks.String(), func(t *testing.T) {
			r := newRig(t, Config{Acks: acks})
			r.create("s", 1)
			c := driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g", MaxBatch: 3}
			rd := r.open(c)
			r.send("s", 0, 0, 1000)
			rd.read(3)
			r.ok(r.log.Trim(at("s", 0), streamer.SeqUint(700)))
			equal(t, rd.values(3), numbers(700, 3))
			equal(t, rd.log(), []string{"assigned 1", "gone 3 700"})
			rd.close()

			r.ok(r.log.Trim(at("s", 0), streamer.SeqUint(800)))
			strict := c
			strict.Reset = streamer.ResetError
			_, err := r.tryOpen(strict)
			r.is(err, streamer.ErrPositionGone)

			rd = r.open(c)
			equal(t, rd.log(), []string{"assigned 1", "gone 700 800"})
			equal(t, rd.values(3), numbers(800, 3))
			rd.close()
			strict.Mode, strict.Group, strict.Start = streamer.RealTime, "", streamer.Beginning()
			rd = r.open(strict)
			r.ok(r.log.Trim(at("s", 0), streamer.SeqUint(5000)))
			_, err = rd.fetch()
			r.is(err, streamer.ErrPositionGone)
			r.send("s", 0, 1000, 1)
			equal(t, r.open(driver.SourceConfig{Streams: []string{"s"}}).values(1), []string{"1000"})
		})
	}
}

func TestAnUndecodableEntryIsSkippedAndItsNeighboursArrive(t *testing.T) {
	for _, acks := range []Acks{ByCursor, ByMessage} {
		r := newRig(t, Config{Acks: acks})
		r.create("s", 1)
		r.send("s", 0, 0, 2)
		_, err := r.log.AppendUndecodable(at("s", 0))
		r.ok(err)
		r.send("s", 0, 3, 2)
		rd := r.open(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g"})
		equal(t, rd.values(4), []string{"0", "1", "3", "4"})
		equal(t, rd.log(), []string{"assigned 1", "skipped 2"})
		Drop(t.Name())
	}
}

func TestACloseEndsABlockedFetch(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}})
	ended := make(chan error, 1)
	go func() { ended <- rd.src.Fetch(context.Background(), func([]streamer.Message) {}) }()
	rd.close()
	r.is(<-ended, streamer.ErrClosed)
	rd.close()
	r.ok(r.backend.Close(t.Context()))
	_, err := r.tryOpen(driver.SourceConfig{Streams: []string{"s"}})
	r.is(err, streamer.ErrClosed)
}
