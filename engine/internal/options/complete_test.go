package options

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestConsumerOptionsThatCannotBeRight(t *testing.T) {
	tests := []struct {
		name string
		call streamer.ConsumerOptions
		base streamer.ConsumerOptions // of the URI or StreamerOptions
		want error
	}{
		{"no stream", streamer.ConsumerOptions{}, streamer.ConsumerOptions{}, streamer.ErrInvalid},
		{"empty stream", streamer.ConsumerOptions{Streams: []string{"a", ""}}, streamer.ConsumerOptions{}, streamer.ErrInvalid},
		{"inherited stream", streamer.ConsumerOptions{}, streamer.ConsumerOptions{Streams: []string{"a"}}, nil},
		{"mode", streamer.ConsumerOptions{Streams: []string{"a"}, Mode: streamer.LoadBalanced + 1}, streamer.ConsumerOptions{}, streamer.ErrInvalid},
		{"reset", streamer.ConsumerOptions{Streams: []string{"a"}, AutoReset: streamer.ResetError + 1}, streamer.ConsumerOptions{}, streamer.ErrInvalid},
		{"ack", streamer.ConsumerOptions{Streams: []string{"a"}, Ack: streamer.AckOnDelivery + 1}, streamer.ConsumerOptions{}, streamer.ErrInvalid},
		{"load-balanced needs a group", streamer.ConsumerOptions{Streams: []string{"a"}, Mode: streamer.LoadBalanced}, streamer.ConsumerOptions{}, streamer.ErrInvalid},
		{"load-balanced with an inherited group", streamer.ConsumerOptions{Streams: []string{"a"}, Mode: streamer.LoadBalanced}, streamer.ConsumerOptions{Group: "g"}, nil},
		{"load-balanced shares all shards", streamer.ConsumerOptions{Streams: []string{"a"}, Mode: streamer.LoadBalanced, Group: "g", Shards: []streamer.ShardID{1}},
			streamer.ConsumerOptions{}, streamer.ErrInvalid},
		{"load-balanced shares all shards, wherever they are chosen", streamer.ConsumerOptions{Streams: []string{"a"}, Mode: streamer.LoadBalanced, Group: "g"},
			streamer.ConsumerOptions{Shards: []streamer.ShardID{1}}, streamer.ErrInvalid},
		{"a group without a mode shares all shards", streamer.ConsumerOptions{Streams: []string{"a"}, Group: "g", Shards: []streamer.ShardID{1}},
			streamer.ConsumerOptions{}, streamer.ErrInvalid},
		{"load-balanced in place of resumable drops its shards", streamer.ConsumerOptions{Streams: []string{"a"}, Mode: streamer.LoadBalanced},
			streamer.ConsumerOptions{Mode: streamer.Resumable, Group: "g", Shards: []streamer.ShardID{1}}, nil},
		{"ack delay without ack delayed", streamer.ConsumerOptions{Streams: []string{"a"}, AckDelay: time.Second}, streamer.ConsumerOptions{}, streamer.ErrInvalid},
		{"ack delay with ack delayed", streamer.ConsumerOptions{Streams: []string{"a"}, AckDelay: time.Second, Ack: streamer.AckDelayed}, streamer.ConsumerOptions{}, nil},
		{"ack delay with inherited ack delayed", streamer.ConsumerOptions{Streams: []string{"a"}, AckDelay: time.Second}, streamer.ConsumerOptions{Ack: streamer.AckDelayed}, nil},
		{"an inherited ack delay is ignored", streamer.ConsumerOptions{Streams: []string{"a"}, Ack: streamer.AckManual}, streamer.ConsumerOptions{AckDelay: time.Second}, nil},
		{"resumable", streamer.ConsumerOptions{Streams: []string{"a"}, Mode: streamer.Resumable, Group: "g", Shards: []streamer.ShardID{1}}, streamer.ConsumerOptions{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := Complete(tt.call, tt.base)
			if !errors.Is(err, tt.want) {
				t.Fatalf("complete = %v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			if o.Mode == streamer.RealTime && o.Group != "" || o.Mode == streamer.LoadBalanced && o.Shards != nil {
				t.Errorf("what the mode has no use for is left: %+v", o)
			}
		})
	}
}

func TestConsumerDefaults(t *testing.T) {
	got, err := Complete(streamer.ConsumerOptions{Streams: []string{"a", "b", "a"}}, streamer.ConsumerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Name) < 30 {
		t.Errorf("Name is %q, want a UUID", got.Name)
	}
	got.Name = ""
	want := streamer.ConsumerOptions{
		Streams: []string{"a", "b"}, Mode: streamer.RealTime, AutoReset: streamer.Latest, Ack: streamer.AckOnReturn, AckDelay: 5 * time.Second,
		CommitEvery: time.Second, MaxInFlight: 1000, Prefetch: 1000, BufferBytes: 64 << 20,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestNoLimitIsMoreThanThereCanBe(t *testing.T) {
	o, err := Complete(streamer.ConsumerOptions{
		Streams: []string{"a"}, CommitEvery: streamer.Never, MaxInFlight: streamer.NoLimit, Prefetch: math.MaxInt, BufferBytes: streamer.NoLimit,
	}, streamer.ConsumerOptions{CommitEvery: time.Hour, MaxInFlight: 1, Prefetch: 7, BufferBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	if o.CommitEvery != streamer.Never || o.Prefetch < 1<<28 || o.Prefetch+1 < 0 || o.MaxInFlight < 1<<28 || o.BufferBytes < 1<<28 {
		t.Errorf("got %+v", o)
	}
	p := streamer.ProducerOptions{MaxBuffered: streamer.NoLimit, MaxBufferedBytes: math.MaxInt, DeliveryTimeout: streamer.NoLimit}
	if ProducerDefaults(&p); p.Linger != 0 || p.MaxBuffered < 1<<28 || p.MaxBufferedBytes < 1<<28 || p.DeliveryTimeout < 1000*time.Hour {
		t.Errorf("got %+v", p)
	}
}

func TestProducerDefaults(t *testing.T) {
	var p streamer.ProducerOptions
	ProducerDefaults(&p)
	if want := (streamer.ProducerOptions{MaxBuffered: 50_000, MaxBufferedBytes: 64 << 20, DeliveryTimeout: 2 * time.Minute}); p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
}

func TestAResumableConsumerHasADefaultGroup(t *testing.T) {
	t.Setenv("HOST_ID", "host-7")
	o, err := Complete(streamer.ConsumerOptions{Streams: []string{"s"}, Mode: streamer.Resumable}, streamer.ConsumerOptions{})
	if want, wantErr := streamer.DefaultGroup(); o.Group != want || !errors.Is(err, wantErr) {
		t.Errorf("Group %q, %v; want %q, %v", o.Group, err, want, wantErr)
	}
}
