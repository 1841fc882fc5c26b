package redis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/faultproxy"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

// large is the size of an entry that takes long on a slow link.
const large = 3 << 20

// frugal is a server behind a proxy that counts what it answers.
type frugal struct {
	*trials.Trial
	server *testservers.RedisServer
	proxy  *faultproxy.Proxy
}

// spends fails the test if what is done fetches as much as a value.
func (f *frugal) spends(what string, do func()) {
	f.Helper()
	before := f.proxy.Bytes(faultproxy.Replies)
	do()
	if n := f.proxy.Bytes(faultproxy.Replies) - before; n > large/10 {
		f.Errorf("%s fetched %d bytes", what, n)
	}
}

func newFrugal(t *trials.Trial, keys ...string) *frugal {
	server := alone(t)
	if server == nil {
		return nil
	}
	value := strings.Repeat("x", large)
	for _, key := range keys {
		for range 3 {
			server.Do("XADD", key, "*", "msg", value)
		}
	}
	return &frugal{t, server, faultproxy.New(t.T, server.Addr())}
}

// TestPositionsAreLearntWithoutValues: opening, sending, describing, measuring
// and waiting cost nothing of the entries that are there.
func TestPositionsAreLearntWithoutValues(t *testing.T) {
	for _, layout := range []string{"none", "auto", "2"} {
		t.Run("shards="+layout, func(t *testing.T) {
			keys := []string{"orders"}
			if layout != "none" {
				keys = []string{"orders:0", "orders:1"}
			}
			trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
				if f := newFrugal(t, keys...); f != nil {
					f.positions("redis://"+f.proxy.Addr()+"/orders?block=100ms&claim_interval=100ms&shards="+layout, mode)
				}
			})
		})
	}
}

func (f *frugal) positions(uri string, mode streamer.ConsumerMode) {
	s := f.Connect(uri)
	f.spends("sending", func() {
		_, err := f.Producer(s).Send(f.Ctx, streamer.Record{Value: []byte("short")}).Wait(f.Ctx)
		f.Must("Send", err)
	})
	f.spends("describing", func() {
		info, err := s.Admin().Describe(f.Ctx, "orders")
		f.Must("Describe", err)
		if sh := info.Shards[0]; sh.First.Compare(sh.Next) >= 0 {
			f.Errorf("shard 0 is described as %+v", sh)
		}
		_, err = s.Admin().Streams(f.Ctx, "")
		f.Must("Streams", err)
	})
	var c streamer.Consumer
	f.spends("opening at the end", func() {
		o := trials.Reader(mode)
		o.AutoReset = streamer.Latest
		c = f.Consumer(s, o)
	})
	f.spends("waiting", func() {
		watch := time.NewTimer(2 * time.Second)
		<-watch.C
	})
	f.spends("measuring at the end", func() {
		if n := f.lag(c); n != 0 {
			f.Errorf("lag is %d, want 0", n)
		}
	})
	f.Must("Close", c.Close())
	if mode == streamer.RealTime {
		return
	}
	f.spends("administering groups", func() {
		f.Must("ResetGroup", s.Admin().ResetGroup(f.Ctx, "orders", "g", streamer.Beginning()))
		groups, err := s.Admin().Groups(f.Ctx, "orders")
		f.Must("Groups", err)
		if len(groups) != 1 || groups[0].Lag[0].Messages < 3 || groups[0].Lag[0].Time <= 0 {
			f.Errorf("groups are %+v", groups)
		}
		f.Must("DeleteGroup", s.Admin().DeleteGroup(f.Ctx, "orders", "g"))
	})
}

// lag sums what a consumer is behind in all shards.
func (f *frugal) lag(c streamer.Consumer) int64 {
	lags, err := c.Lag(f.Ctx)
	f.Must("Lag", err)
	n := int64(0)
	for _, l := range lags {
		n += l.Messages
	}
	return n
}

// TestLagIsCountedWithoutValues: from the middle of a stream, of entries of all
// sizes, also where deletions have made the server lose count.
func TestLagIsCountedWithoutValues(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		f := newFrugal(t, "orders")
		if f == nil {
			return
		}
		ids := add(t, f.server, "orders", 0, 2500)
		for range 3 {
			f.server.Do("XADD", "orders", "*", "msg", strings.Repeat("y", large))
		}
		f.server.Do("XDEL", "orders", ids[7])
		s := f.Connect("redis://" + f.proxy.Addr() + "/orders?block=100ms")
		o := trials.Reader(mode)
		o.AutoReset = streamer.Latest
		if mode == streamer.LoadBalanced {
			f.server.Do("XGROUP", "CREATE", "orders", "g", ids[2399])
			f.spends("Groups", func() {
				groups, err := s.Admin().Groups(t.Ctx, "orders")
				t.Must("Groups", err)
				if n := groups[0].Lag[0].Messages; n != 103 {
					t.Errorf("lag is %d, want 103", n)
				}
			})
			return
		}
		o.Prefetch, o.MaxInFlight = 10, 10
		c := t.Consumer(s, o)
		seq, err := streamer.ParseSeqNo(ids[2399])
		t.Must("ParseSeqNo", err)
		t.Must("Rewind", c.Rewind(t.Ctx, streamer.At(seq)))
		f.spends("Lag", func() {
			if n := f.lag(c); n != 104 {
				t.Errorf("lag is %d, want 104", n)
			}
		})
	})
}
