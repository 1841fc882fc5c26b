package stdio

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestWhatNeedsAPositionIsRefusedBeforeALineIsRead(t *testing.T) {
	from := &endless{line: "x\n"}
	s := connected(t, Config{In: from}, streamer.StreamerOptions{})
	for name, o := range map[string]streamer.ConsumerOptions{
		"resumable":       {Mode: streamer.Resumable, Group: "g"},
		"start":           {Start: streamer.Beginning()},
		"start at end":    {Start: streamer.End()},
		"earliest":        {AutoReset: streamer.Earliest},
		"reset error":     {AutoReset: streamer.ResetError},
		"shards":          {Shards: []streamer.ShardID{0}},
		"start in group":  {Mode: streamer.LoadBalanced, Group: "g", Start: streamer.Beginning()},
		"group, earliest": {Mode: streamer.LoadBalanced, Group: "g", AutoReset: streamer.Earliest},
	} {
		if _, err := s.Consumer(testContext(t), o); !errors.Is(err, streamer.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := from.bytes.Load(); n > 0 {
		t.Errorf("%d bytes were read", n)
	}
	if err := s.Admin().Create(testContext(t), "a", 1); !errors.Is(err, streamer.ErrUnsupported) {
		t.Errorf("Create: %v", err)
	}
}

func TestAConsumerThatWasToMoveGoesOnWhereItWas(t *testing.T) {
	for name, o := range map[string]streamer.ConsumerOptions{
		"alone":      {AutoReset: streamer.Latest},
		"in a group": {Mode: streamer.LoadBalanced, Group: "g"},
	} {
		t.Run(name, func(t *testing.T) {
			s := connected(t, Config{In: strings.NewReader("1\n2\n3\n")}, streamer.StreamerOptions{})
			c := consumer(t, s, o)
			first, err := c.Next(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			for call, err := range map[string]error{
				"Seek":               c.Seek(testContext(t), time.Now()),
				"Rewind(Beginning)":  c.Rewind(testContext(t), streamer.Beginning()),
				"Rewind(End)":        c.Rewind(testContext(t), streamer.End()),
				"Rewind(Committed)":  c.Rewind(testContext(t), streamer.Committed()),
				"Rewind(At)":         c.Rewind(testContext(t), streamer.At(first.Seq)),
				"Assign":             c.Assign(everyStream, 0),
				"Assign, none":       c.Assign(broadcast),
				"Unassign":           c.Unassign(broadcast, 0),
				"Assign of a stream": c.Assign("elsewhere", 7),
			} {
				if !errors.Is(err, streamer.ErrUnsupported) {
					t.Errorf("%s: %v", call, err)
				}
			}
			if _, err := c.Lag(testContext(t)); !errors.Is(err, streamer.ErrUnsupported) {
				t.Errorf("Lag: %v", err)
			}
			if got := show(drain(t, c)); got != "broadcast/0#1=2 broadcast/0#2=3" {
				t.Errorf("after the refusals: %s", got)
			}
		})
	}
}

func TestURI(t *testing.T) {
	for uri, reason := range map[string]string{
		"stdio://":                                  "",
		"stdio:///":                                 "",
		"stdio:///*":                                "",
		"stdio:///a,b?format=json&mode=realtime":    "",
		"stdio:///a?format=line&create=always":      "",
		"stdio:///a?reset=latest":                   "",
		"stdio:///a?format=xml":                     "want line or json",
		"stdio:///a?format=":                        "want line or json",
		"stdio:///a?create=perhaps":                 "create",
		"stdio:///a?colour=blue":                    "format",
		"stdio://orders":                            "stdio:///orders",
		"stdio://user@/orders":                      "user",
		"stdio://user:secret@host/orders":           "host",
		"stdio:///a?mode=resumable&format=nonsense": "want line or json",
	} {
		s, err := streamer.Connect(testContext(t), uri)
		switch {
		case reason == "" && err != nil:
			t.Errorf("%s: %v", uri, err)
		case reason == "":
			if err := s.Ping(testContext(t)); err != nil {
				t.Errorf("%s: ping: %v", uri, err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("%s: close: %v", uri, err)
			}
			if err := s.Ping(testContext(t)); !errors.Is(err, streamer.ErrClosed) {
				t.Errorf("%s: ping of a closed one: %v", uri, err)
			}
		case !errors.Is(err, streamer.ErrInvalid) || !strings.Contains(err.Error(), reason) || strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: %v, want %q in it", uri, err, reason)
		}
	}
}

func TestStreamsOfAURI(t *testing.T) {
	const input = "[a] 1\n[b] 2\n[c] 3\n4\n"
	for uri, want := range map[string]string{
		"stdio://":      "a/0#0=1 b/0#0=2 c/0#0=3 broadcast/0#0=4",
		"stdio:///*":    "a/0#0=1 b/0#0=2 c/0#0=3 broadcast/0#0=4",
		"stdio:///a":    "a/0#0=1 broadcast/0#0=4",
		"stdio:///c,a":  "a/0#0=1 c/0#0=3 broadcast/0#0=4",
		"stdio:///none": "broadcast/0#0=4",
	} {
		t.Run(uri, func(t *testing.T) {
			withStdin(t, input)
			s, err := streamer.Connect(testContext(t), uri)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := show(drain(t, consumer(t, s, streamer.ConsumerOptions{}))); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		})
	}
}

func TestEveryStreamIsWhatNobodyElseSaid(t *testing.T) {
	const input = "[a] 1\n[b] 2\n[c] 3\n"
	for _, c := range []struct {
		uri               string
		defaults, options []string
		want              string
	}{
		{"stdio://", nil, nil, "a/0#0=1 b/0#0=2 c/0#0=3"},
		{"stdio://", []string{"b"}, nil, "b/0#0=2"},
		{"stdio://", []string{"b"}, []string{"c"}, "c/0#0=3"},
		{"stdio://", nil, []string{"c"}, "c/0#0=3"},
		{"stdio:///a", []string{"b"}, nil, "a/0#0=1"},
		{"stdio:///*", []string{"b"}, nil, "a/0#0=1 b/0#0=2 c/0#0=3"},
	} {
		t.Run(fmt.Sprint(c.uri, c.defaults, c.options), func(t *testing.T) {
			withStdin(t, input)
			o := streamer.StreamerOptions{Consumer: streamer.ConsumerOptions{Streams: c.defaults}}
			s, err := streamer.ConnectWith(testContext(t), c.uri, o)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := show(drain(t, consumer(t, s, streamer.ConsumerOptions{Streams: c.options}))); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWhereTheURINamesNoStreamRecordsDo(t *testing.T) {
	for _, uri := range []string{"stdio://", "stdio:///*", "stdio:///a,b"} {
		s, err := streamer.Connect(testContext(t), uri)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		p, err := s.Producer(testContext(t), streamer.ProducerOptions{})
		if err != nil {
			t.Errorf("%s: %v", uri, err)
			continue
		}
		if _, err := p.Send(testContext(t), streamer.Record{Value: []byte("x")}).Wait(testContext(t)); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%s: a record without a stream: %v", uri, err)
		}
	}
}

func TestFormatIsItsOwnWord(t *testing.T) {
	for _, f := range []Format{Line, JSON} {
		if got, err := ParseFormat(f.String()); got != f || err != nil {
			t.Errorf("%v: %v, %v", f, got, err)
		}
	}
	if _, err := ParseFormat(Format(7).String()); !errors.Is(err, streamer.ErrInvalid) {
		t.Error(err)
	}
}

// withStdin has the process's standard input bring input.
func withStdin(t *testing.T, input string) {
	t.Helper()
	r, w := osPipe(t)
	stdin := os.Stdin
	os.Stdin = r
	t.Cleanup(func() { os.Stdin = stdin })
	if _, err := io.WriteString(w, input); err != nil {
		t.Fatal(err)
	}
	w.Close()
}
