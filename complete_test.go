package streamer

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"
)

func TestConsumerOptionsThatCannotBeRight(t *testing.T) {
	tests := []struct {
		name string
		call ConsumerOptions
		base ConsumerOptions // of the URI or StreamerOptions
		want error
	}{
		{"no stream", ConsumerOptions{}, ConsumerOptions{}, ErrInvalid},
		{"empty stream", ConsumerOptions{Streams: []string{"a", ""}}, ConsumerOptions{}, ErrInvalid},
		{"inherited stream", ConsumerOptions{}, ConsumerOptions{Streams: []string{"a"}}, nil},
		{"mode", ConsumerOptions{Streams: []string{"a"}, Mode: LoadBalanced + 1}, ConsumerOptions{}, ErrInvalid},
		{"reset", ConsumerOptions{Streams: []string{"a"}, AutoReset: ResetError + 1}, ConsumerOptions{}, ErrInvalid},
		{"ack", ConsumerOptions{Streams: []string{"a"}, Ack: AckOnDelivery + 1}, ConsumerOptions{}, ErrInvalid},
		{"load-balanced needs a group", ConsumerOptions{Streams: []string{"a"}, Mode: LoadBalanced}, ConsumerOptions{}, ErrInvalid},
		{"load-balanced with an inherited group", ConsumerOptions{Streams: []string{"a"}, Mode: LoadBalanced}, ConsumerOptions{Group: "g"}, nil},
		{"load-balanced shares all shards", ConsumerOptions{Streams: []string{"a"}, Mode: LoadBalanced, Group: "g", Shards: []ShardID{1}},
			ConsumerOptions{}, ErrInvalid},
		{"load-balanced shares all shards, wherever they are chosen", ConsumerOptions{Streams: []string{"a"}, Mode: LoadBalanced, Group: "g"},
			ConsumerOptions{Shards: []ShardID{1}}, ErrInvalid},
		{"a group without a mode shares all shards", ConsumerOptions{Streams: []string{"a"}, Group: "g", Shards: []ShardID{1}},
			ConsumerOptions{}, ErrInvalid},
		{"load-balanced in place of resumable drops its shards", ConsumerOptions{Streams: []string{"a"}, Mode: LoadBalanced},
			ConsumerOptions{Mode: Resumable, Group: "g", Shards: []ShardID{1}}, nil},
		{"ack delay without ack delayed", ConsumerOptions{Streams: []string{"a"}, AckDelay: time.Second}, ConsumerOptions{}, ErrInvalid},
		{"ack delay with ack delayed", ConsumerOptions{Streams: []string{"a"}, AckDelay: time.Second, Ack: AckDelayed}, ConsumerOptions{}, nil},
		{"ack delay with inherited ack delayed", ConsumerOptions{Streams: []string{"a"}, AckDelay: time.Second}, ConsumerOptions{Ack: AckDelayed}, nil},
		{"an inherited ack delay is ignored", ConsumerOptions{Streams: []string{"a"}, Ack: AckManual}, ConsumerOptions{AckDelay: time.Second}, nil},
		{"resumable", ConsumerOptions{Streams: []string{"a"}, Mode: Resumable, Group: "g", Shards: []ShardID{1}}, ConsumerOptions{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := complete(tt.call, tt.base)
			if !errors.Is(err, tt.want) {
				t.Fatalf("complete = %v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			if o.Mode == RealTime && o.Group != "" || o.Mode == LoadBalanced && o.Shards != nil {
				t.Errorf("what the mode has no use for is left: %+v", o)
			}
		})
	}
}

func TestConsumerDefaults(t *testing.T) {
	got, err := complete(ConsumerOptions{Streams: []string{"a", "b", "a"}}, ConsumerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Name) < 30 {
		t.Errorf("Name is %q, want a UUID", got.Name)
	}
	got.Name = ""
	want := ConsumerOptions{
		Streams: []string{"a", "b"}, Mode: RealTime, AutoReset: Latest, Ack: AckOnReturn, AckDelay: 5 * time.Second,
		CommitEvery: time.Second, MaxInFlight: 1000, Prefetch: 1000, BufferBytes: 64 << 20,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestNoLimitIsMoreThanThereCanBe(t *testing.T) {
	o, err := complete(ConsumerOptions{
		Streams: []string{"a"}, CommitEvery: Never, MaxInFlight: NoLimit, Prefetch: math.MaxInt, BufferBytes: NoLimit,
	}, ConsumerOptions{CommitEvery: time.Hour, MaxInFlight: 1, Prefetch: 7, BufferBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	if o.CommitEvery != Never || o.Prefetch < 1<<28 || o.Prefetch+1 < 0 || o.MaxInFlight < 1<<28 || o.BufferBytes < 1<<28 {
		t.Errorf("got %+v", o)
	}
	p := ProducerOptions{MaxBuffered: NoLimit, MaxBufferedBytes: math.MaxInt, DeliveryTimeout: NoLimit}
	if producerDefaults(&p); p.Linger != 0 || p.MaxBuffered < 1<<28 || p.MaxBufferedBytes < 1<<28 || p.DeliveryTimeout < 1000*time.Hour {
		t.Errorf("got %+v", p)
	}
}

func TestProducerDefaults(t *testing.T) {
	var p ProducerOptions
	producerDefaults(&p)
	if want := (ProducerOptions{MaxBuffered: 50_000, MaxBufferedBytes: 64 << 20, DeliveryTimeout: 2 * time.Minute}); p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
}

func TestTheCallWinsOverWhatIsInherited(t *testing.T) {
	base := StreamerOptions{
		Consumer: ConsumerOptions{Streams: []string{"s"}, Mode: Resumable, Group: "base", Prefetch: 4, AutoReset: Earliest},
		Producer: ProducerOptions{Stream: "base", MaxBuffered: 3},
	}
	inBubble(t, abilities{cursor: true}, base, func(t *testing.T, r *rig) {
		c, err := r.s.Consumer(t.Context(), ConsumerOptions{Group: "call"})
		if err != nil {
			t.Fatal(err)
		}
		got := c.(*consumer).o
		if got.Group != "call" || got.Mode != Resumable || got.Prefetch != 4 || got.AutoReset != Earliest {
			t.Errorf("the consumer has %+v", got)
		}
		p, err := r.s.Producer(t.Context(), ProducerOptions{Stream: "call"})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.(*producer).o; got.Stream != "call" || got.MaxBuffered != 3 {
			t.Errorf("the producer has %+v", got)
		}
	})
}

func TestAResumableConsumerHasADefaultGroup(t *testing.T) {
	t.Setenv("HOST_ID", "host-7")
	o, err := complete(ConsumerOptions{Streams: []string{"s"}, Mode: Resumable}, ConsumerOptions{})
	if want, wantErr := DefaultGroup(); o.Group != want || !errors.Is(err, wantErr) {
		t.Errorf("Group %q, %v; want %q, %v", o.Group, err, want, wantErr)
	}
}
