package driver

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gostreamer/streamer"
)

func parsed(t testing.TB, s string) *streamer.URI {
	t.Helper()
	u, err := streamer.ParseURI(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestOptionsReadsEveryCommonOption(t *testing.T) {
	u := parsed(t, "memory://log/orders?mode=load-balanced&group=billing&name=w1&start=beginning&reset=earliest&ack=manual&ack_delay=3s"+
		"&commit=250ms&assign=0,3,3&max_in_flight=7&prefetch=8&buffer=2KiB&linger=5ms&max_buffered=9&max_buffered_bytes=1MiB"+
		"&delivery_timeout=1m30s&close_timeout=4s")
	if len(u.Query) != len(CommonOptions()) {
		t.Fatalf("the test sets %d of %d options", len(u.Query), len(CommonOptions()))
	}
	got, err := Options(u)
	if err != nil {
		t.Fatal(err)
	}
	want := streamer.StreamerOptions{
		Consumer: streamer.ConsumerOptions{
			Streams: []string{"orders"}, Mode: streamer.LoadBalanced, Group: "billing", Name: "w1", Start: streamer.Beginning(), AutoReset: streamer.Earliest,
			Shards: []streamer.ShardID{0, 3}, Ack: streamer.AckManual, AckDelay: 3 * time.Second, CommitEvery: 250 * time.Millisecond,
			MaxInFlight: 7, Prefetch: 8, BufferBytes: 2 << 10,
		},
		Producer: streamer.ProducerOptions{
			Stream: "orders", Linger: 5 * time.Millisecond, MaxBuffered: 9, MaxBufferedBytes: 1 << 20, DeliveryTimeout: 90 * time.Second,
		},
		CloseTimeout: 4 * time.Second,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestOptionsUnderstandsEachValue(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		query string
		want  streamer.StreamerOptions
	}{
		{"mode=realtime", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Mode: streamer.RealTime}}},
		{"mode=resumable", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Mode: streamer.Resumable}}},
		{"reset=latest", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{AutoReset: streamer.Latest}}},
		{"reset=error", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{AutoReset: streamer.ResetError}}},
		{"ack=on-return", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Ack: streamer.AckOnReturn}}},
		{"ack=delayed", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Ack: streamer.AckDelayed}}},
		{"ack=on-delivery", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Ack: streamer.AckOnDelivery}}},
		{"commit=never", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{CommitEvery: streamer.Never}}},
		{"start=end", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Start: streamer.End()}}},
		{"start=2026-01-02T12:00:00Z", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Start: streamer.AtTime(noon)}}},
		{"start=2026-01-02T13:00:00.000+01:00", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Start: streamer.AtTime(noon)}}},
		{"assign=18446744073709551615", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Shards: []streamer.ShardID{math.MaxUint64}}}},
		{"name=", streamer.StreamerOptions{}},
		// A zero that a URI says is a setting: no limit, or as little as there
		// is.
		{"linger=0", streamer.StreamerOptions{Producer: streamer.ProducerOptions{Linger: 1}}},
		{"ack_delay=0s", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{AckDelay: 1}}},
		{"close_timeout=0s", streamer.StreamerOptions{CloseTimeout: 1}},
		{"prefetch=0", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Prefetch: 1}}},
		{"max_in_flight=0", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{MaxInFlight: streamer.NoLimit}}},
		{"buffer=0", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{BufferBytes: streamer.NoLimit}}},
		{"buffer=0GiB", streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{BufferBytes: streamer.NoLimit}}},
		{"max_buffered=0", streamer.StreamerOptions{Producer: streamer.ProducerOptions{MaxBuffered: streamer.NoLimit}}},
		{"max_buffered_bytes=0", streamer.StreamerOptions{Producer: streamer.ProducerOptions{MaxBufferedBytes: streamer.NoLimit}}},
		{"delivery_timeout=0", streamer.StreamerOptions{Producer: streamer.ProducerOptions{DeliveryTimeout: streamer.NoLimit}}},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			got, err := Options(parsed(t, "memory://?"+tt.query))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestARelativeStartCountsFromWhenItIsParsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := Options(parsed(t, "memory://?start=-1h30m"))
		if err != nil {
			t.Fatal(err)
		}
		if want := streamer.AtTime(time.Now().Add(-90 * time.Minute)); o.Consumer.Start != want {
			t.Errorf("got %v, want %v", o.Consumer.Start, want)
		}
	})
}

func TestOptionsRefusesAWrongValueAndSaysWhatIsRight(t *testing.T) {
	tests := []struct{ query, want string }{
		{"mode=Resumable", "want realtime, resumable, load-balanced"},
		{"mode=", "want realtime"},
		{"group=", "it is empty"},
		{"reset=none", "want latest, earliest, error"},
		{"ack=auto", "want on-return, manual, delayed, on-delivery"},
		{"ack_delay=5", "such as 200ms"},
		{"linger=-1ms", "such as 200ms"},
		{"delivery_timeout=9999999999999s", "such as 200ms"},
		{"commit=0", "want never or more than 0"},
		{"commit=-1ns", "want never or more than 0"},
		{"commit=soon", "want never or more than 0"},
		{"start=1h", "such as -1h"},
		{"start=0", "such as -1h"},
		{"start=2026-01-02", "such as 2026-01-02T15:04:05Z"},
		{"start=42", "want beginning, end"},
		{"assign=", "such as 0,3"},
		{"assign=0,,3", "such as 0,3"},
		{"assign=-1", "such as 0,3"},
		{"assign=18446744073709551616", "such as 0,3"},
		{"prefetch=-1", "want 0 or more"},
		{"prefetch=1e3", "want 0 or more"},
		{"prefetch=99999999999999999999", "want 0 or more"},
		{"buffer=64MB", "such as 64MiB"},
		{"buffer=-1", "such as 64MiB"},
		{"buffer=8589934592GiB", "64 bits"},
		{"group=a&group=b", "option group is given 2 times"},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			_, err := Options(parsed(t, "memory://?"+tt.query))
			if !errors.Is(err, streamer.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrInvalid saying %q", err, tt.want)
			}
		})
	}
}

func TestOptionsTakesTheStreamsOfThePath(t *testing.T) {
	for _, tt := range []struct {
		path, producer string
		consumer       []string
	}{
		{"", "", nil},
		{"/", "", nil},
		{"/a", "a", []string{"a"}},
		{"/a,b", "", []string{"a", "b"}},
	} {
		u := parsed(t, "memory://log"+tt.path)
		o, err := Options(u)
		if err != nil {
			t.Fatal(err)
		}
		if o.Producer.Stream != tt.producer || !slices.Equal(o.Consumer.Streams, tt.consumer) {
			t.Errorf("%q: got %q and %q, want %q and %q", tt.path, o.Producer.Stream, o.Consumer.Streams, tt.producer, tt.consumer)
		}
		if len(u.Streams) > 0 {
			o.Consumer.Streams[0] = "changed"
			if u.Streams[0] == "changed" {
				t.Error("the options share their streams with the URI")
			}
		}
	}
}

type testConfig struct {
	Shards   int64
	Create   streamer.Create
	Password string
}

var errVault = errors.New("the vault refused s3cret")

func testTable() []URIOption[testConfig] {
	return []URIOption[testConfig]{
		{Key: "size", Set: func(c *testConfig, v string) (err error) { c.Shards, err = ParseSize(v); return err }},
		{Key: "create", Set: func(c *testConfig, v string) (err error) { c.Create, err = streamer.ParseCreate(v); return err }},
		{Key: "pin", Secret: true, Set: func(c *testConfig, v string) error {
			c.Password = v
			if v == "s3cret" {
				return errVault
			}
			return nil
		}},
		{Key: "where", Set: func(*testConfig, string) error {
			return &streamer.Error{Kind: streamer.ErrNotFound, Err: errors.New("no such place")}
		}},
	}
}

func TestBindFillsTheConfigAndLeavesTheRest(t *testing.T) {
	c := testConfig{Create: streamer.CreateNever, Password: "default"}
	if err := Bind(parsed(t, "memory://?size=2KiB&pin=1234&mode=resumable"), &c, testTable()); err != nil {
		t.Fatal(err)
	}
	if want := (testConfig{2048, streamer.CreateNever, "1234"}); c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
}

func TestBindErrorsNameTheOption(t *testing.T) {
	tests := []struct {
		query string
		kind  error
		want  string
	}{
		{"size=big", streamer.ErrInvalid, `uri memory: option size="big": invalid size: want bytes or whole KiB, MiB or GiB, such as 64MiB`},
		{"create=maybe", streamer.ErrInvalid, `uri memory: option create="maybe": invalid word: want auto, always, never, new`},
		{"size=1&size=2", streamer.ErrInvalid, "uri memory: invalid: option size is given 2 times"},
		{"pin=s3cret", streamer.ErrInvalid, "uri memory: invalid: option pin=xxxxx"},
		{"where=here", streamer.ErrNotFound, `uri memory: option where="here": not found: no such place`},
		{"sizes=1", streamer.ErrInvalid, "uri memory: invalid: unknown option sizes; known are ack, ack_delay, assign, buffer, close_timeout, commit, create, " +
			"delivery_timeout, group, linger, max_buffered, max_buffered_bytes, max_in_flight, mode, name, pin, prefetch, reset, size, start, where"},
		{"b=1&a=2&mode=realtime", streamer.ErrInvalid, "uri memory: invalid: unknown option a, b; known are "},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			err := Bind(parsed(t, "memory://?"+tt.query), &testConfig{}, testTable())
			if !errors.Is(err, tt.kind) {
				t.Fatalf("got %v, want %v", err, tt.kind)
			}
			if !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
		})
	}
}

func TestBindDoesNotPassOnWhatMayQuoteASecret(t *testing.T) {
	err := Bind(parsed(t, "memory://?pin=s3cret"), &testConfig{}, testTable())
	if errors.Is(err, errVault) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error shows the secret: %v", err)
	}
}

func TestEveryCommonOptionIsDocumentedAndNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range CommonOptions() {
		if seen[row.Key] || !readable(row.Key) {
			t.Errorf("key %q is there twice or cannot be written", row.Key)
		}
		seen[row.Key] = true
		if row.Doc == "" || strings.Contains(row.Doc, "\n") || row.Set == nil {
			t.Errorf("%s: Doc %q must be one line", row.Key, row.Doc)
		}
	}
}

// readable says whether a URI can have the key.
func readable(key string) bool {
	u, err := streamer.ParseURI("memory://?" + key + "=x")
	return err == nil && u.Query.Get(key) == "x"
}
