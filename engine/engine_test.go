package engine

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/observe"
)

func TestNewRefusesNoBackend(t *testing.T) {
	if _, err := New(nil, streamer.StreamerOptions{}); !errors.Is(err, streamer.ErrInvalid) {
		t.Fatalf("New = %v, want ErrInvalid", err)
	}
}

func TestErrorsSayWhereTheyHappened(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		r.fails("open", errors.New("no route to host"))
		_, err := r.tryConsumer(streamer.ConsumerOptions{})
		if want := "consumer fake s: no route to host"; err == nil || err.Error() != want {
			t.Errorf("Consumer = %v, want %s", err, want)
		}
		r.fails("open sink", errors.New("no route to host"))
		_, err = r.s.Producer(t.Context(), streamer.ProducerOptions{Stream: "out"})
		if want := "producer fake out: no route to host"; err == nil || err.Error() != want {
			t.Errorf("Producer = %v, want %s", err, want)
		}
	})
}

func TestOpeningWithAnEndedContextReachesNoBackend(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, consumer := r.s.Consumer(ctx, streamer.ConsumerOptions{Streams: []string{"s"}})
		_, producer := r.s.Producer(ctx, streamer.ProducerOptions{Stream: "s"})
		_, streams := r.s.Admin().Streams(ctx, "")
		for name, err := range map[string]error{"Consumer": consumer, "Producer": producer, "Ping": r.s.Ping(ctx), "Streams": streams} {
			if err != context.Canceled {
				t.Errorf("%s = %v", name, err)
			}
		}
		r.called(nil)
	})
}

func TestWhatTheBackendHasNotIsUnsupported(t *testing.T) {
	inBubble(t, abilities{}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
		ctx, a := t.Context(), r.s.Admin()
		_, lag := r.consumer(streamer.ConsumerOptions{}).Lag(ctx)
		_, describe := a.Describe(ctx, "s")
		_, streams := a.Streams(ctx, "")
		_, groups := a.Groups(ctx, "s")
		errs := map[string]error{
			"Lag": lag, "Ping": r.s.Ping(ctx), "Describe": describe, "Streams": streams, "Groups": groups,
			"Create": a.Create(ctx, "s", 1), "Delete": a.Delete(ctx, "s"),
			"ResetGroup": a.ResetGroup(ctx, "s", "g", streamer.End()), "DeleteGroup": a.DeleteGroup(ctx, "s", "g"),
		}
		for name, err := range errs {
			if !errors.Is(err, streamer.ErrUnsupported) {
				t.Errorf("%s = %v, want ErrUnsupported", name, err)
			}
		}
	})
}

// adminFake is a fakeBackend with an Admin that finds nothing, and that answers
// to Ping.
type adminFake struct {
	*fakeBackend
	info streamer.StreamInfo
}

func (a adminFake) Ping(ctx context.Context) error { return a.call(ctx, "ping", "") }

func (a adminFake) Create(ctx context.Context, stream string, _ int) error {
	return a.call(ctx, "create", stream)
}

func (a adminFake) Delete(ctx context.Context, stream string) error {
	return a.call(ctx, "delete", stream)
}

func (a adminFake) Describe(ctx context.Context, stream string) (streamer.StreamInfo, error) {
	return a.info, a.call(ctx, "describe", stream)
}

func (a adminFake) Streams(ctx context.Context, prefix string) ([]string, error) {
	return []string{"s"}, a.call(ctx, "streams", prefix)
}

func (a adminFake) Groups(ctx context.Context, stream string) ([]streamer.GroupInfo, error) {
	return []streamer.GroupInfo{{Name: "g"}}, a.call(ctx, "groups", stream)
}

func (a adminFake) ResetGroup(ctx context.Context, stream, group string, to streamer.Position) error {
	return a.call(ctx, "reset", stream+" "+group+" "+to.String())
}

func (a adminFake) DeleteGroup(ctx context.Context, stream, group string) error {
	return a.call(ctx, "forget", stream+" "+group)
}

func TestAdminPassesOnWhatMakesSense(t *testing.T) {
	ctx := t.Context()
	b := adminFake{fakeBackend: newFake(abilities{})}
	s, err := New(b, streamer.StreamerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := s.Admin()
	for name, err := range map[string]error{
		"Create of no shards":      a.Create(ctx, "s", 0),
		"Create without a name":    a.Create(ctx, "", 1),
		"Delete without a name":    a.Delete(ctx, ""),
		"ResetGroup to nowhere":    a.ResetGroup(ctx, "s", "g", streamer.At(streamer.SeqNo{})),
		"DeleteGroup without name": a.DeleteGroup(ctx, "", "g"),
	} {
		if !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%s = %v, want ErrInvalid", name, err)
		}
	}
	_, describe := a.Describe(ctx, "s")
	_, streams := a.Streams(ctx, "p")
	_, groups := a.Groups(ctx, "s")
	if err := errors.Join(describe, streams, groups, s.Ping(ctx), a.Create(ctx, "s", 1), a.Delete(ctx, "s"),
		a.ResetGroup(ctx, "s", "g", streamer.End()), a.DeleteGroup(ctx, "s", "g")); err != nil {
		t.Error(err)
	}
	want := []string{"describe s", "streams p", "groups s", "ping", "create s", "delete s", "reset s g end", "forget s g"}
	if got := b.history(); !slices.Equal(got, want) {
		t.Errorf("calls\n got %q\nwant %q", got, want)
	}
	b.fails("delete", streamer.ErrNotFound)
	if err := a.Delete(ctx, "t"); !errors.Is(err, streamer.ErrNotFound) || err.Error() != "delete fake t: not found" {
		t.Errorf("Delete = %v", err)
	}
}

func TestAStartAtASequenceNumberNeedsASingleShard(t *testing.T) {
	two := streamer.StreamInfo{Shards: []streamer.ShardInfo{{ID: 0}, {ID: 1}}}
	tests := []struct {
		name   string
		o      streamer.ConsumerOptions
		shards int
		info   streamer.StreamInfo
		want   error
		calls  []string
	}{
		{"one shard", streamer.ConsumerOptions{Mode: streamer.Resumable, Start: streamer.At(streamer.SeqUint(2))}, 1, streamer.StreamInfo{Shards: two.Shards[:1]}, nil, nil},
		{"two shards are refused before anything is committed", streamer.ConsumerOptions{Mode: streamer.Resumable, Start: streamer.At(streamer.SeqUint(2))}, 2, two,
			streamer.ErrInvalid, []string{"describe s"}},
		{"one of two", streamer.ConsumerOptions{Mode: streamer.Resumable, Start: streamer.At(streamer.SeqUint(2)), Shards: []streamer.ShardID{1}}, 2, two, nil, nil},
		{"realtime finds out when it is open", streamer.ConsumerOptions{Start: streamer.After(streamer.SeqUint(2))}, 2, two, streamer.ErrInvalid,
			[]string{"open realtime after 2", "close"}},
		{"a time suits all", streamer.ConsumerOptions{Mode: streamer.Resumable, Start: streamer.AtTime(fakeTime(2))}, 2, two, nil, nil},
		{"zero", streamer.ConsumerOptions{Start: streamer.At(streamer.SeqNo{})}, 1, two, streamer.ErrInvalid, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := adminFake{newFake(abilities{cursor: true}), tt.info}
			b.shards = tt.shards
			s, err := New(b, streamer.StreamerOptions{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			tt.o.Streams = []string{"s"}
			if tt.o.Mode != 0 {
				tt.o.Group = "g"
			}
			if _, err = s.Consumer(t.Context(), tt.o); !errors.Is(err, tt.want) {
				t.Fatalf("Consumer = %v, want %v", err, tt.want)
			}
			if calls := b.history(); err != nil && !slices.Equal(calls, tt.calls) {
				t.Errorf("calls %q, want %q", calls, tt.calls)
			}
		})
	}
}

func TestLagCountsWhatIsNotHandedOutYet(t *testing.T) {
	tests := []struct {
		mode streamer.ConsumerMode
		want int64
	}{{streamer.RealTime, 100 + 3}, {streamer.Resumable, 100}}
	for _, tt := range tests {
		inBubble(t, abilities{lag: true}, streamer.StreamerOptions{}, func(t *testing.T, r *rig) {
			r.shards = 2
			r.add(0, 4)
			c := r.consumer(streamer.ConsumerOptions{Mode: tt.mode})
			r.expect(c, "0/1")
			lags, err := c.Lag(t.Context())
			if err != nil || len(lags) != 2 || lags[0].Shard != 0 || lags[0].Messages != tt.want || lags[1].Messages != -1 {
				t.Errorf("mode %d: Lag = %+v, %v; want %d for shard 0 and that shard 1 is not known", tt.mode, lags, err, tt.want)
			}
			r.fails("lag", streamer.ErrThrottled)
			if _, err := c.Lag(t.Context()); !errors.Is(err, streamer.ErrThrottled) {
				t.Errorf("mode %d: Lag = %v, want ErrThrottled", tt.mode, err)
			}
		})
	}
}

func TestTheDefaultLoggerShowsWarningsAlone(t *testing.T) {
	var buf bytes.Buffer
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(was)
	l := observe.LoggerOr(nil).With("a", 1).WithGroup("g")
	l.Info("quiet", "b", 2)
	l.Warn("loud", "b", 2)
	if got := buf.String(); strings.Contains(got, "quiet") || !strings.Contains(got, "loud") || !strings.Contains(got, "g.b=2") {
		t.Errorf("logged %q", got)
	}
	own := slog.New(slog.DiscardHandler)
	if observe.LoggerOr(own) != own {
		t.Error("a logger of one's own is used as it is")
	}
}

func TestABackendsOwnDefaultsStandUnderTheProgrammers(t *testing.T) {
	b := defaulterFake{newFake(abilities{})}
	s, err := New(b, streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Prefetch: 5}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o := s.(*engine).o
	if o.Consumer.Prefetch != 5 || o.Consumer.MaxInFlight != 7 || o.CloseTimeout != time.Hour {
		t.Errorf("got %+v", o)
	}
}

type defaulterFake struct{ *fakeBackend }

func (defaulterFake) Defaults() streamer.StreamerOptions {
	return streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Prefetch: 6, MaxInFlight: 7}, CloseTimeout: time.Hour}
}
