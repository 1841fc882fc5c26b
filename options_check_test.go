package streamer

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"
)

// sentinels are the negative values that fields take. Every other field takes none.
var sentinels = map[string]int64{
	"CommitEvery": int64(Never),
	"MaxInFlight": NoLimit, "BufferBytes": NoLimit,
	"MaxBuffered": NoLimit, "MaxBufferedBytes": NoLimit, "DeliveryTimeout": NoLimit,
}

// TestANegativeNumberIsInvalidInEveryField: in the options of a call, in the
// defaults of a Streamer, and whatever a field is added later.
func TestANegativeNumberIsInvalidInEveryField(t *testing.T) {
	for _, v := range []int64{-1, -2, -5, int64(-time.Second), int64(-time.Hour)} {
		eachNumber(t, reflect.TypeFor[ConsumerOptions](), v, func(o reflect.Value) error {
			call := o.Interface().(ConsumerOptions)
			call.Streams, call.Ack = []string{"s"}, AckDelayed
			_, err := complete(call, ConsumerOptions{})
			return err
		})
		eachNumber(t, reflect.TypeFor[ConsumerOptions](), v, func(o reflect.Value) error {
			return checkStreamer(&StreamerOptions{Consumer: o.Interface().(ConsumerOptions)})
		})
		eachNumber(t, reflect.TypeFor[ProducerOptions](), v, func(o reflect.Value) error {
			return checkStreamer(&StreamerOptions{Producer: o.Interface().(ProducerOptions)})
		})
		eachNumber(t, reflect.TypeFor[StreamerOptions](), v, func(o reflect.Value) error {
			all := o.Interface().(StreamerOptions)
			return checkStreamer(&all)
		})
	}
}

// eachNumber gives each number and duration of a struct of type the value v.
func eachNumber(t *testing.T, typ reflect.Type, v int64, check func(reflect.Value) error) {
	t.Helper()
	for i := range typ.NumField() {
		f := typ.Field(i)
		if !f.Type.ConvertibleTo(reflect.TypeFor[int64]()) || f.Type.Kind() != reflect.Int && f.Type.Kind() != reflect.Int64 {
			continue
		}
		o := reflect.New(typ).Elem()
		o.Field(i).SetInt(v)
		s, takes := sentinels[f.Name]
		want := ErrInvalid
		if takes && s == v {
			want = nil
		}
		if err := check(o); !errors.Is(err, want) {
			t.Errorf("%v.%s = %v: %v, want %v", typ, f.Name, o.Field(i), err, want)
		}
	}
}

func TestANegativeNumberIsInvalidAtEveryDoor(t *testing.T) {
	inBubble(t, abilities{}, StreamerOptions{}, func(t *testing.T, r *rig) {
		if _, err := r.s.Producer(t.Context(), ProducerOptions{Stream: "s", Linger: -time.Millisecond}); !errors.Is(err, ErrInvalid) {
			t.Errorf("Producer: %v", err)
		}
		if _, err := r.s.Consumer(t.Context(), ConsumerOptions{Streams: []string{"s"}, Prefetch: -1}); !errors.Is(err, ErrInvalid) {
			t.Errorf("Consumer: %v", err)
		}
		if _, err := New(newFake(abilities{}), StreamerOptions{CloseTimeout: -1}); !errors.Is(err, ErrInvalid) {
			t.Errorf("New: %v", err)
		}
	})
}

func TestADelayThatTheClockCannotTellIsInvalid(t *testing.T) {
	for delay, want := range map[time.Duration]error{
		maxAckDelay: nil, maxAckDelay + 1: ErrInvalid, 1 << 32 * time.Millisecond: ErrInvalid, 1 << 62: ErrInvalid,
	} {
		call := ConsumerOptions{Streams: []string{"s"}, Ack: AckDelayed, AckDelay: delay}
		if _, err := complete(call, ConsumerOptions{}); !errors.Is(err, want) {
			t.Errorf("AckDelay %v: %v, want %v", delay, err, want)
		}
	}
}

// TestAGroupWithoutAModeIsLoadBalancedWhereverEachIsWritten, and what else mode
// and group come to in three layers: the call, the URI, StreamerOptions.
func TestAGroupWithoutAModeIsLoadBalancedWhereverEachIsWritten(t *testing.T) {
	t.Setenv("HOST_ID", "host")
	own, err := DefaultGroup()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		call, uri, code string // mode/group
		mode            ConsumerMode
		group           string
		want            error
	}{
		{"/", "/", "/", RealTime, "", nil},
		{"/g", "/", "/", LoadBalanced, "g", nil},
		{"/", "/g", "/", LoadBalanced, "g", nil},
		{"/", "/", "/g", LoadBalanced, "g", nil},
		{"/a", "/b", "/c", LoadBalanced, "a", nil},
		{"2/", "/g", "/", Resumable, "g", nil},
		{"/g", "2/", "/", Resumable, "g", nil},
		{"/", "2/", "/g", Resumable, "g", nil},
		{"/", "3/", "/g", LoadBalanced, "g", nil},
		{"2/", "/", "/", Resumable, own, nil},
		{"/", "2/", "/", Resumable, own, nil},
		{"/", "3/", "/", 0, "", ErrInvalid},
		{"1/g", "/", "/", 0, "", ErrInvalid},
		{"/", "1/g", "/", 0, "", ErrInvalid},
		{"/", "/", "1/g", 0, "", ErrInvalid},
		{"1/", "/g", "/", 0, "", ErrInvalid},
		{"1/", "/", "/g", 0, "", ErrInvalid},
		{"/g", "1/", "/", 0, "", ErrInvalid},
		{"/g", "/", "1/", 0, "", ErrInvalid},
		{"/", "1/", "/g", 0, "", ErrInvalid},
		{"/", "/g", "1/", 0, "", ErrInvalid},
		// A mode that takes the place of another takes that of its group too.
		{"1/", "3/g", "/", RealTime, "", nil},
		{"1/", "/", "2/g", RealTime, "", nil},
		{"/", "1/", "3/g", RealTime, "", nil},
		{"2/", "3/g", "/", Resumable, "g", nil},
		{"1/g", "3/h", "/", 0, "", ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("call=%s,uri=%s,code=%s", tt.call, tt.uri, tt.code), func(t *testing.T) {
			inherited := merge(StreamerOptions{Consumer: choice(tt.uri)}, StreamerOptions{Consumer: choice(tt.code)}).Consumer
			inherited.Streams = []string{"s"}
			o, err := complete(choice(tt.call), inherited)
			if !errors.Is(err, tt.want) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if err == nil && (o.Mode != tt.mode || o.Group != tt.group) {
				t.Errorf("mode %d, group %q; want %d, %q", o.Mode, o.Group, tt.mode, tt.group)
			}
		})
	}
}

// choice reads "2/g" as mode 2 and group g.
func choice(s string) ConsumerOptions {
	mode, group := s[:len(s)-1], ""
	if s[len(s)-1] != '/' {
		mode, group = s[:len(s)-2], s[len(s)-1:]
	}
	var o ConsumerOptions
	if mode != "" {
		o.Mode = ConsumerMode(mode[0] - '0')
	}
	o.Group = group
	return o
}
