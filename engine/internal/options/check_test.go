package options

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// sentinels are the negative values that fields take. Every other field takes
// none.
var sentinels = map[string]int64{
	"CommitEvery": int64(streamer.Never),
	"MaxInFlight": streamer.NoLimit, "BufferBytes": streamer.NoLimit,
	"MaxBuffered": streamer.NoLimit, "MaxBufferedBytes": streamer.NoLimit, "DeliveryTimeout": streamer.NoLimit,
}

// TestANegativeNumberIsInvalidInEveryField: in the options of a call, in the
// defaults of a Streamer, and whatever a field is added later.
func TestANegativeNumberIsInvalidInEveryField(t *testing.T) {
	for _, v := range []int64{-1, -2, -5, int64(-time.Second), int64(-time.Hour)} {
		eachNumber(t, reflect.TypeFor[streamer.ConsumerOptions](), v, func(o reflect.Value) error {
			call := o.Interface().(streamer.ConsumerOptions)
			call.Streams, call.Ack = []string{"s"}, streamer.AckDelayed
			_, err := Complete(call, streamer.ConsumerOptions{})
			return err
		})
		eachNumber(t, reflect.TypeFor[streamer.ConsumerOptions](), v, func(o reflect.Value) error {
			return CheckStreamer(&streamer.StreamerOptions{Consumer: o.Interface().(streamer.ConsumerOptions)})
		})
		eachNumber(t, reflect.TypeFor[streamer.ProducerOptions](), v, func(o reflect.Value) error {
			return CheckStreamer(&streamer.StreamerOptions{Producer: o.Interface().(streamer.ProducerOptions)})
		})
		eachNumber(t, reflect.TypeFor[streamer.StreamerOptions](), v, func(o reflect.Value) error {
			all := o.Interface().(streamer.StreamerOptions)
			return CheckStreamer(&all)
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
		want := streamer.ErrInvalid
		if takes && s == v {
			want = nil
		}
		if err := check(o); !errors.Is(err, want) {
			t.Errorf("%v.%s = %v: %v, want %v", typ, f.Name, o.Field(i), err, want)
		}
	}
}

func TestADelayThatTheClockCannotTellIsInvalid(t *testing.T) {
	for delay, want := range map[time.Duration]error{
		maxAckDelay: nil, maxAckDelay + 1: streamer.ErrInvalid, 1 << 32 * time.Millisecond: streamer.ErrInvalid, 1 << 62: streamer.ErrInvalid,
	} {
		call := streamer.ConsumerOptions{Streams: []string{"s"}, Ack: streamer.AckDelayed, AckDelay: delay}
		if _, err := Complete(call, streamer.ConsumerOptions{}); !errors.Is(err, want) {
			t.Errorf("AckDelay %v: %v, want %v", delay, err, want)
		}
	}
}

// TestAGroupWithoutAModeIsLoadBalancedWhereverEachIsWritten, and what else mode
// and group come to in three layers: the call, the URI, StreamerOptions.
func TestAGroupWithoutAModeIsLoadBalancedWhereverEachIsWritten(t *testing.T) {
	t.Setenv("HOST_ID", "host")
	own, err := streamer.DefaultGroup()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		call, uri, code string // mode/group
		mode            streamer.ConsumerMode
		group           string
		want            error
	}{
		{"/", "/", "/", streamer.RealTime, "", nil},
		{"/g", "/", "/", streamer.LoadBalanced, "g", nil},
		{"/", "/g", "/", streamer.LoadBalanced, "g", nil},
		{"/", "/", "/g", streamer.LoadBalanced, "g", nil},
		{"/a", "/b", "/c", streamer.LoadBalanced, "a", nil},
		{"2/", "/g", "/", streamer.Resumable, "g", nil},
		{"/g", "2/", "/", streamer.Resumable, "g", nil},
		{"/", "2/", "/g", streamer.Resumable, "g", nil},
		{"/", "3/", "/g", streamer.LoadBalanced, "g", nil},
		{"2/", "/", "/", streamer.Resumable, own, nil},
		{"/", "2/", "/", streamer.Resumable, own, nil},
		{"/", "3/", "/", 0, "", streamer.ErrInvalid},
		{"1/g", "/", "/", 0, "", streamer.ErrInvalid},
		{"/", "1/g", "/", 0, "", streamer.ErrInvalid},
		{"/", "/", "1/g", 0, "", streamer.ErrInvalid},
		{"1/", "/g", "/", 0, "", streamer.ErrInvalid},
		{"1/", "/", "/g", 0, "", streamer.ErrInvalid},
		{"/g", "1/", "/", 0, "", streamer.ErrInvalid},
		{"/g", "/", "1/", 0, "", streamer.ErrInvalid},
		{"/", "1/", "/g", 0, "", streamer.ErrInvalid},
		{"/", "/g", "1/", 0, "", streamer.ErrInvalid},
		// A mode that takes the place of another takes that of its group too.
		{"1/", "3/g", "/", streamer.RealTime, "", nil},
		{"1/", "/", "2/g", streamer.RealTime, "", nil},
		{"/", "1/", "3/g", streamer.RealTime, "", nil},
		{"2/", "3/g", "/", streamer.Resumable, "g", nil},
		{"1/g", "3/h", "/", 0, "", streamer.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("call=%s,uri=%s,code=%s", tt.call, tt.uri, tt.code), func(t *testing.T) {
			inherited := Merge(streamer.StreamerOptions{Consumer: choice(tt.uri)}, streamer.StreamerOptions{Consumer: choice(tt.code)}).Consumer
			inherited.Streams = []string{"s"}
			o, err := Complete(choice(tt.call), inherited)
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
func choice(s string) streamer.ConsumerOptions {
	mode, group := s[:len(s)-1], ""
	if s[len(s)-1] != '/' {
		mode, group = s[:len(s)-2], s[len(s)-1:]
	}
	var o streamer.ConsumerOptions
	if mode != "" {
		o.Mode = streamer.ConsumerMode(mode[0] - '0')
	}
	o.Group = group
	return o
}
