package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
)

// creatable is where a stream may be missing.
type creatable struct {
	name   string
	uri    func() (uri, stream string) // of a stream that no other test sees
	auto   error                       // what a producer gets with create=auto
	shards int                         // of a stream that the test makes
}

func creatables(t *testing.T) []creatable {
	t.Helper()
	in := func(name, before, after string, auto error, shards int) creatable {
		return creatable{name, func() (string, string) {
			stream := "create-" + uuid.NewString()
			return before + stream + after, stream
		}, auto, shards}
	}
	log := "create-" + uuid.NewString()
	drop(t, log)
	all := []creatable{
		in("memory", "memory://"+log+"/", "?mode=realtime", nil, 1),
		{"file", func() (string, string) { return fileLog(t) + "/s?mode=realtime", "s" }, nil, 1},
		{"directory", func() (string, string) { return strings.TrimSuffix(fileLog(t), ".ss") + "/s?segment=1MiB", "s" }, nil, 1},
	}
	if addr := testservers.Redis(t); addr != "" {
		all = append(all, in("redis", "redis://"+addr+"/", "?mode=realtime", nil, 1), in("redis, 2 shards", "redis://"+addr+"/", "?shards=2", nil, 2),
			in("redis, auto", "redis://"+addr+"/", "?shards=auto", nil, 2))
	}
	if addr := testservers.Kafka(t); addr != "" {
		all = append(all, in("kafka", "kafka://"+addr+"/", "?mode=realtime", streamer.ErrNotFound, 1))
	}
	return all
}

// TestTheWordsOfCreateMeanTheSameEverywhere, and where they are in the way the
// error says what to do.
func TestTheWordsOfCreateMeanTheSameEverywhere(t *testing.T) {
	for _, at := range creatables(t) {
		for _, exists := range []bool{false, true} {
			for _, create := range []string{"auto", "always", "never", "new"} {
				consumer, producer := error(nil), error(nil)
				switch {
				case exists && create == "new":
					producer = streamer.ErrExists
				case exists, create == "always":
				case create == "never":
					consumer, producer = streamer.ErrNotFound, streamer.ErrNotFound
				case create == "new":
					consumer = streamer.ErrNotFound
				default:
					consumer, producer = streamer.ErrNotFound, at.auto
				}
				name := at.name + "/missing/" + create
				if exists {
					name = at.name + "/there/" + create
				}
				t.Run(name, func(t *testing.T) {
					at.try(t, exists, create, consumer, func(ctx context.Context, s streamer.Streamer) error {
						c, err := s.Consumer(ctx, streamer.ConsumerOptions{})
						if err == nil {
							err = c.Close()
						}
						return err
					})
					at.try(t, exists, create, producer, func(ctx context.Context, s streamer.Streamer) error {
						p, err := s.Producer(ctx, streamer.ProducerOptions{})
						if err != nil {
							return err
						}
						for range 2 { // the second finds what the first has made
							if _, err := p.Send(ctx, streamer.Record{Value: []byte("v")}).Wait(ctx); err != nil {
								return err
							}
						}
						return p.Close()
					})
				})
			}
		}
	}
}

// try runs open on a stream of its own.
func (at creatable) try(t *testing.T, exists bool, create string, want error, open func(context.Context, streamer.Streamer) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	uri, stream := at.uri()
	if exists {
		maker, err := streamer.Connect(ctx, uri)
		if err != nil {
			t.Fatal(err)
		}
		err = errors.Join(maker.Admin().Create(ctx, stream, at.shards), maker.Close())
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := streamer.Connect(ctx, withOption(uri, "create", create))
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	err = open(ctx, s)
	_ = s.Admin().Delete(context.WithoutCancel(ctx), stream) // of a server that others use as well
	_ = s.Close()
	switch {
	case !errors.Is(err, want):
		t.Errorf("got %v, want %v", err, want)
	case want != nil && !strings.Contains(err.Error(), "create="):
		t.Errorf("%v does not say what to do", err)
	}
}

// TestTheShardsOfCreateAreTheURIs: the flag and the option are one.
func TestTheShardsOfCreateAreTheURIs(t *testing.T) {
	for _, at := range creatables(t) {
		for name, c := range map[string]struct {
			option string
			flags  []string
			shards int
		}{
			"a flag":   {"", []string{"--shards=8"}, 8},
			"a URI":    {"shards=4", nil, 4},
			"the same": {"shards=3", []string{"-s3"}, 3},
			"neither":  {"", nil, 1},
		} {
			uri, stream := at.uri()
			uri, _, _ = strings.Cut(uri, "?")
			if at.name == "directory" {
				uri += "?segment=1MiB"
			}
			if key, value, ok := strings.Cut(c.option, "="); ok {
				uri = withOption(uri, key, value)
			}
			t.Run(at.name+"/"+name, func(t *testing.T) {
				r := there(t, "", append([]string{"create", uri, "-o", "json"}, c.flags...)...)
				if n := strings.Count(r.stdout, `"open":true`); r.code != exitOK || n != c.shards {
					t.Errorf("%d shards, want %d: %+v", n, c.shards, r)
				}
				forgetStream(t, withOption(uri, "shards", ""), stream, c.shards)
			})
		}
	}
	there(t, "", "create", "memory://x/s", "--shards=0").want(t, exitUsage, "", "--shards=0")
	there(t, "", "create", "stdio:///s", "--shards=2").want(t, exitUnsupported, "", "hint: ")
}

// forgetStream deletes what a command made on a server that others use as well.
func forgetStream(t *testing.T, uri, stream string, shards int) {
	t.Helper()
	if strings.HasPrefix(uri, "redis:") && shards > 1 {
		uri = withOption(uri, "shards", "auto")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := streamer.Connect(ctx, uri)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_ = s.Admin().Delete(ctx, stream) // a file has no such thing
}
