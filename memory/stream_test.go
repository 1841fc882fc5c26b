package memory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestAMissingStreamIsNotFoundUnlessCreated(t *testing.T) {
	for create, want := range map[streamer.Create]error{
		streamer.CreateAuto: streamer.ErrNotFound, streamer.CreateNever: streamer.ErrNotFound, streamer.CreateNew: streamer.ErrNotFound, streamer.CreateAlways: nil,
	} {
		r := newRig(t, Config{Create: create, Shards: 3})
		rd, err := r.tryOpen(driver.SourceConfig{Streams: []string{"s"}})
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
			_, err := r.OpenSink(t.Context(), driver.SinkConfig{Stream: stream})
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
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.Resumable, Group: "g"})
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
				c := driver.SourceConfig{Streams: []string{"s"}, Mode: mode, Reset: streamer.Latest}
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

func TestAShardThatAppearsIsReadFromItsBeginning(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable, streamer.LoadBalanced} {
		for _, acks := range []Acks{ByCursor, ByMessage} {
			t.Run(fmt.Sprint(mode, acks), func(t *testing.T) {
				r := newRig(t, Config{Acks: acks})
				r.create("s", 1)
				c := driver.SourceConfig{Streams: []string{"s"}, Mode: mode, Reset: streamer.Latest}
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

func TestTheErrorAboutAMissingStreamSaysWhatToDo(t *testing.T) {
	r := newRig(t, Config{Create: streamer.CreateNever})
	says := func(err error, what ...string) {
		t.Helper()
		r.is(err, streamer.ErrNotFound)
		for _, w := range what {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%v: nothing of %s", err, w)
			}
		}
	}
	_, err := r.tryOpen(driver.SourceConfig{Streams: []string{"s"}})
	says(err, "create=always", "Admin.Create")
	_, err = r.backend.OpenSink(t.Context(), driver.SinkConfig{Stream: "s"})
	says(err, "create=never", "Admin.Create")
	r.create("s", 1)
	rd := r.open(driver.SourceConfig{Streams: []string{"s"}})
	r.ok(r.Delete(t.Context(), "s"))
	_, err = rd.fetch()
	says(err, "create=always", "deleted")
}
