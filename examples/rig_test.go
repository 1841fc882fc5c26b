package examples_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	_ "github.com/gostreamer/streamer/kafka"
	_ "github.com/gostreamer/streamer/redis"
)

// rig runs examples on a fresh, empty instance of one backend.
type rig struct {
	uri    func(stream string) string // without options
	all    string                     // options of every URI
	input  string                     // options of an input that is read from its beginning
	live   string                     // options of an input that is read from now on
	launch func(t *testing.T, example, in, out string, args []string) *program

	ends             bool // input ends by itself (io.EOF); else an example is stopped when it has printed everything
	pipe             bool // input exists only before it is read
	keyStays         bool // in a group, a key stays with one member
	refusesResumable bool // no positions
}

// with joins a stream's URI and options.
func (r *rig) with(stream string, options ...string) string {
	set := append([]string{r.all}, options...)
	return r.uri(stream) + "?" + strings.Trim(strings.Join(set, "&"), "&")
}

// start runs an example on the streams in and out (either may be empty), from
// the beginning of in.
func (r *rig) start(t *testing.T, example, in, out string, extra ...string) *program {
	t.Helper()
	return r.startWith(t, example, in, out, "", extra...)
}

// startWith is start with more options for the input.
func (r *rig) startWith(t *testing.T, example, in, out, options string, extra ...string) *program {
	t.Helper()
	var args []string
	if in != "" {
		args = append(args, r.with(in, r.input, options))
	}
	if out != "" {
		args = append(args, r.with(out))
	}
	p := r.launch(t, example, in, out, append(args, extra...))
	p.endless = !r.ends
	return p
}

// startLive runs an example from the end of a stream, which need not exist yet.
func (r *rig) startLive(t *testing.T, example, in string) *program {
	t.Helper()
	p := r.launch(t, example, in, "", []string{r.with(in, r.live)})
	p.endless = !r.pipe
	return p
}

func openFile(t *testing.T) *rig {
	r := openFollowedFile(t)
	r.input = "start=beginning&follow=false"
	r.ends = true
	return r
}

func openFollowedFile(t *testing.T) *rig {
	dir := filepath.ToSlash(t.TempDir())
	return &rig{
		// One log per stream: a log has one writer, and here one example reads
		// what another still writes.
		uri:      func(stream string) string { return "file://" + dir + "/" + stream + ".ss/" + stream },
		input:    "start=beginning&create=always",
		live:     "create=always",
		keyStays: true,
		launch: func(t *testing.T, example, _, _ string, args []string) *program {
			return startProcess(t, example, "", "", args)
		},
	}
}

// openStdio keeps a stream in a file of lines, which is redirected to one
// example's stdin and from another's stdout.
func openStdio(t *testing.T) *rig {
	dir := t.TempDir()
	lines := func(stream string) string {
		if stream == "" {
			return ""
		}
		return filepath.Join(dir, stream+".ndjson")
	}
	return &rig{
		uri:              func(stream string) string { return "stdio:///" + stream },
		all:              "format=json",
		ends:             true,
		pipe:             true,
		keyStays:         true,
		refusesResumable: true,
		launch: func(t *testing.T, example, in, out string, args []string) *program {
			return startProcess(t, example, lines(in), lines(out), args)
		},
	}
}

// openMemory takes the URI options of one configuration of the memory backend.
func openMemory(options string, keyStays bool) func(t *testing.T) *rig {
	return func(t *testing.T) *rig {
		h := startHost(t)
		return &rig{
			uri:      func(stream string) string { return "memory://shop/" + stream },
			all:      options,
			input:    "start=beginning&create=always",
			live:     "create=always",
			keyStays: keyStays,
			launch: func(t *testing.T, example, _, _ string, args []string) *program {
				return h.start(t, example, args)
			},
		}
	}
}

func openRedis(t *testing.T) *rig { return onServer(t, "redis://", testservers.Redis(t)) }

func openRedisCluster(t *testing.T) *rig {
	return onServer(t, "redis://", testservers.RedisCluster(t)...)
}

func openKafka(t *testing.T) *rig {
	r := onServer(t, "kafka://", testservers.Kafka(t))
	if r != nil {
		r.all = "create=always&shards=1" // what one producer sends is compared in order
		r.input, r.live = "start=beginning", ""
	}
	return r
}

// onServer has streams of its own on a server, or a cluster, that other tests
// use as well; nil where there is none.
func onServer(t *testing.T, scheme string, hosts ...string) *rig {
	server := scheme + strings.Join(hosts, ",")
	if server == scheme {
		return nil
	}
	prefix := uuid.NewString() + "-"
	t.Cleanup(func() { remove(t, server, prefix) })
	return &rig{
		uri:   func(stream string) string { return server + "/" + prefix + stream },
		input: "start=beginning&create=always",
		live:  "create=always",
		launch: func(t *testing.T, example, _, _ string, args []string) *program {
			return startProcess(t, example, "", "", args)
		},
	}
}

// remove deletes the streams whose names begin with prefix.
func remove(t *testing.T, server, prefix string) {
	ctx := context.Background() // the test's has ended
	s, err := streamer.Connect(ctx, server)
	if err != nil {
		t.Error(err)
		return
	}
	defer s.Close()
	streams, err := s.Admin().Streams(ctx, prefix)
	for _, stream := range streams {
		err = errors.Join(err, s.Admin().Delete(ctx, stream))
	}
	if err != nil {
		t.Error(err)
	}
}
