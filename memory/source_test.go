package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestRecordsComeBackEqual(t *testing.T) {
	r := newRig(t, Config{})
	s := r.sink("orders")
	at := time.Date(2031, 1, 2, 3, 4, 5, 678901234, time.FixedZone("X", 3600))
	records := []streamer.Record{
		{Key: []byte("k"), Value: []byte("v"), Time: at},
		{Key: nil, Value: nil},
		{Key: []byte{}, Value: []byte{}},
		{Value: bytes.Repeat([]byte{0, 255}, 100<<10)},
		{Headers: []streamer.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "", Value: []byte{}}}},
	}
	for i := range records {
		records[i].Stream = "orders"
	}
	from := time.Now()
	metas := r.write(s, records...)
	got := r.open(streamer.SourceConfig{Streams: []string{"orders"}}).read(len(records))
	for i, want := range records {
		m := got[i]
		if m.Meta != metas[i] {
			t.Errorf("record %d: receipt %v, message %v", i, metas[i], m.Meta)
		}
		if (m.Key == nil) != (want.Key == nil) || !bytes.Equal(m.Key, want.Key) || (m.Value == nil) != (want.Value == nil) || !bytes.Equal(m.Value, want.Value) {
			t.Errorf("record %d: key %q value %.20q, want %q %.20q", i, m.Key, m.Value, want.Key, want.Value)
		}
		if fmt.Sprintf("%#v", m.Headers) != fmt.Sprintf("%#v", want.Headers) {
			t.Errorf("record %d: headers %#v, want %#v", i, m.Headers, want.Headers)
		}
		if m.Time.Location() != time.UTC {
			t.Errorf("record %d: time %v is not UTC", i, m.Time)
		}
	}
	if !got[0].Time.Equal(at) {
		t.Errorf("time %v, want %v", got[0].Time, at)
	}
	if got[1].Time.Before(from.Round(0)) {
		t.Errorf("time %v is before %v", got[1].Time, from)
	}
}

func TestAStoredRecordIsACopy(t *testing.T) {
	r := newRig(t, Config{})
	value := []byte("before")
	header := []streamer.Header{{Key: "h", Value: []byte("before")}}
	r.write(r.sink("s"), streamer.Record{Stream: "s", Value: value, Headers: header})
	copy(value, "after!")
	copy(header[0].Value, "after!")
	m := r.open(streamer.SourceConfig{Streams: []string{"s"}}).read(1)[0]
	if string(m.Value) != "before" || string(m.Headers[0].Value) != "before" {
		t.Errorf("value %q header %q", m.Value, m.Headers[0].Value)
	}
	_ = append(m.Value, "overflow"...)
	if cap(m.Value) != len(m.Value) {
		t.Errorf("an append to a value reaches its neighbour")
	}
}

func TestAKeyStaysInOneShardAndOthersTakeTurns(t *testing.T) {
	r := newRig(t, Config{Shards: 5})
	s := r.sink("s")
	shards := map[string]streamer.ShardID{}
	used := map[streamer.ShardID]int{}
	for i := range 100 {
		key := fmt.Sprintf("key-%d", i%10)
		m := r.write(s, streamer.Record{Stream: "s", Key: []byte(key)})[0]
		if was, ok := shards[key]; ok && was != m.Shard {
			t.Fatalf("key %s moved from %d to %d", key, was, m.Shard)
		}
		shards[key] = m.Shard
		used[r.write(s, streamer.Record{Stream: "s"})[0].Shard]++
	}
	for id := range streamer.ShardID(5) {
		if used[id] != 20 {
			t.Errorf("shard %d got %d of 100", id, used[id])
		}
	}
}

func TestAWrongShardFailsThatRecordAlone(t *testing.T) {
	r := newRig(t, Config{Shards: 2})
	far := streamer.ShardID(math.MaxUint64)
	p := pendings(streamer.Record{Stream: "s", Value: []byte("a")}, streamer.Record{Stream: "s", Shard: &far}, streamer.Record{Stream: "s", Value: []byte("b")})
	r.ok(r.sink("s").Write(t.Context(), p))
	for i, want := range []error{nil, streamer.ErrNotFound, nil} {
		if _, err := p[i].Receipt().Wait(t.Context()); !errors.Is(err, want) {
			t.Errorf("record %d: %v, want %v", i, err, want)
		}
	}
}

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
		rd := r.open(streamer.SourceConfig{Streams: []string{"s"}, Start: c.p, MaxBatch: 1})
		if c.want == 1000 {
			rd.nothing()
		} else if got := rd.read(1)[0].Seq; got != streamer.SeqUint(uint64(c.want)) {
			t.Errorf("%v starts at %v, want %d", c.p, got, c.want)
		}
		rd.close()
	}
	_, err := r.tryOpen(streamer.SourceConfig{Streams: []string{"s"}, Start: streamer.At(streamer.SeqNo{})})
	r.is(err, streamer.ErrInvalid)
}

func TestSendersTimesMayBeInAnyOrder(t *testing.T) {
	r := newRig(t, Config{})
	s := r.sink("s")
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, minute := range []int{0, 9, 3, 1} {
		r.write(s, streamer.Record{Stream: "s", Value: fmt.Append(nil, minute), Time: noon.Add(time.Duration(minute) * time.Minute)})
	}
	rd := r.open(streamer.SourceConfig{Streams: []string{"s"}, Start: streamer.AtTime(noon.Add(2 * time.Minute))})
	equal(t, rd.values(3), []string{"9", "3", "1"})
}

func TestLatestSeesWhatIsSentAfterOpening(t *testing.T) {
	r := newRig(t, Config{Shards: 3})
	r.create("s", 3)
	r.send("s", 1, 0, 5)
	a := r.open(streamer.SourceConfig{Streams: []string{"s"}, Reset: streamer.Latest})
	b := r.open(streamer.SourceConfig{Streams: []string{"s"}, Reset: streamer.Latest})
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
	rd := r.open(streamer.SourceConfig{Streams: []string{"s"}})
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
	rd := r.open(streamer.SourceConfig{Streams: []string{"s"}, MaxBatch: 130})
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
	rd := r.open(streamer.SourceConfig{Streams: []string{"s"}})
	r.send("s", 0, 0, 3)
	pauser := rd.src.(streamer.Pauser)
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
	rd := r.open(streamer.SourceConfig{Streams: []string{"s", "s"}, Shards: map[string][]streamer.ShardID{"s": {1}}})
	equal(t, rd.values(1), []string{"1"})
	equal(t, rd.shards(), []streamer.ShardID{1})
	_, err := r.tryOpen(streamer.SourceConfig{Streams: []string{"s"}, Shards: map[string][]streamer.ShardID{"s": {1, 3}}})
	r.is(err, streamer.ErrNotFound)
}

func TestAShardThatAppearsIsReadFromItsBeginning(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		for _, acks := range []Acks{ByCursor, ByMessage} {
			t.Run(fmt.Sprint(mode, acks), func(t *testing.T) {
				r := newRig(t, Config{Acks: acks})
				r.create("s", 1)
				c := streamer.SourceConfig{Streams: []string{"s"}, Mode: mode, Reset: streamer.Latest}
				if mode != streamer.RealTime {
					c.Group = "g"
				}
				rd := r.open(c)
				id, err := r.log.AddShard("s")
				r.ok(err)
				equal(t, rd.shards(), []streamer.ShardID{0, id})
				r.send("s", id, 0, 3)
				equal(t, rd.values(3), numbers(0, 3))
				if mode == streamer.RealTime {
					return
				}
				rd.close()
				id, err = r.log.AddShard("s")
				r.ok(err)
				r.send("s", id, 10, 3)
				got := map[string]bool{}
				for _, m := range r.open(c).read(6) { // the first three are not committed
					got[string(m.Value)] = true
				}
				for _, v := range append(numbers(0, 3), numbers(10, 3)...) {
					if !got[v] {
						t.Errorf("%s is missing", v)
					}
				}
			})
		}
	}
}

func TestAMissingStreamIsNotFoundUnlessCreated(t *testing.T) {
	for create, want := range map[streamer.Create]error{
		streamer.CreateAuto: streamer.ErrNotFound, streamer.CreateNever: streamer.ErrNotFound, streamer.CreateNew: streamer.ErrNotFound, streamer.CreateAlways: nil,
	} {
		r := newRig(t, Config{Create: create, Shards: 3})
		rd, err := r.tryOpen(streamer.SourceConfig{Streams: []string{"s"}})
		r.is(err, want)
		if err == nil {
			equal(t, rd.shards(), []streamer.ShardID{0, 1, 2})
		}
		Drop(t.Name())
	}
}

func TestProducersCreateAsConfigured(t *testing.T) {
	for _, c := range []struct {
		create      streamer.Create
		fresh, used error
	}{
		{streamer.CreateAuto, nil, nil},
		{streamer.CreateAlways, nil, nil},
		{streamer.CreateNever, streamer.ErrNotFound, nil},
		{streamer.CreateNew, nil, streamer.ErrExists},
	} {
		r := newRig(t, Config{Create: c.create})
		open := func(stream string) error {
			_, err := r.OpenSink(t.Context(), streamer.SinkConfig{Stream: stream})
			return err
		}
		r.is(open("fresh"), c.fresh)
		r.create("used", 1)
		r.is(open("used"), c.used)
		Drop(t.Name())
	}
}

func TestADeletedStreamIsOneTypedErrorForReadersAndAFreshOneForWriters(t *testing.T) {
	r := newRig(t, Config{})
	s := r.sink("s")
	rd := r.open(streamer.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g"})
	r.write(s, streamer.Record{Stream: "s"})
	r.ok(r.Delete(t.Context(), "s"))
	r.is(r.Delete(t.Context(), "s"), streamer.ErrNotFound)
	_, err := rd.fetch()
	r.is(err, streamer.ErrNotFound)
	r.is(rd.commit("s", 0, 0), streamer.ErrNotFound)
	m := r.write(s, streamer.Record{Stream: "s"})[0]
	if m.Seq != streamer.SeqUint(0) {
		t.Errorf("the new stream begins with %v", m.Seq)
	}
	_, err = rd.fetch()
	r.is(err, streamer.ErrNotFound)
	rd.close()
}

func TestWithCreateAlwaysAStreamMayVanishAndComeBack(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		for _, acks := range []Acks{ByCursor, ByMessage} {
			t.Run(fmt.Sprint(mode, acks), func(t *testing.T) {
				r := newRig(t, Config{Create: streamer.CreateAlways, Acks: acks})
				c := streamer.SourceConfig{Streams: []string{"s"}, Mode: mode, Reset: streamer.Latest}
				if mode != streamer.RealTime {
					c.Group = "g"
				}
				rd := r.open(c)
				r.send("s", 0, 0, 2)
				equal(t, rd.values(2), numbers(0, 2))
				r.ok(r.Delete(t.Context(), "s"))
				r.create("s", 2)
				r.send("s", 1, 5, 2)
				equal(t, rd.values(2), numbers(5, 2))
				equal(t, rd.log(), []string{"assigned 1", "revoked 1 true", "assigned 2"})
			})
		}
	}
}

func TestATrimmedPositionGoesOnAtTheOldestLeftAndIsReported(t *testing.T) {
	for _, acks := range []Acks{ByCursor, ByMessage} {
		t.Run(acks.String(), func(t *testing.T) {
			r := newRig(t, Config{Acks: acks})
			r.create("s", 1)
			c := streamer.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g", MaxBatch: 3}
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
			equal(t, r.open(streamer.SourceConfig{Streams: []string{"s"}}).values(1), []string{"1000"})
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
		rd := r.open(streamer.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g"})
		equal(t, rd.values(4), []string{"0", "1", "3", "4"})
		equal(t, rd.log(), []string{"assigned 1", "skipped 2"})
		Drop(t.Name())
	}
}

func TestACloseEndsABlockedFetch(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	rd := r.open(streamer.SourceConfig{Streams: []string{"s"}})
	ended := make(chan error, 1)
	go func() { ended <- rd.src.Fetch(context.Background(), func([]streamer.Message) {}) }()
	rd.close()
	r.is(<-ended, streamer.ErrClosed)
	rd.close()
	r.ok(r.backend.Close(t.Context()))
	_, err := r.tryOpen(streamer.SourceConfig{Streams: []string{"s"}})
	r.is(err, streamer.ErrClosed)
}
