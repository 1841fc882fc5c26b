package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestURI(t *testing.T) {
	for uri, want := range map[string]struct {
		path    string
		streams []string
	}{
		"file:///tmp/x.ss/k":                    {"/tmp/x.ss", []string{"k"}},
		"file:///tmp/x.ss/a,b":                  {"/tmp/x.ss", []string{"a", "b"}},
		"file:///tmp/x.ss/*":                    {"/tmp/x.ss", []string{"*"}},
		"file:///tmp/x.ss":                      {"/tmp/x.ss", nil},
		"file:///tmp/x.ss/":                     {"/tmp/x.ss", nil},
		"file:///dir.ss/x.ss":                   {"/dir.ss/x.ss", nil},
		"file:///dir.ss/x.ss/k":                 {"/dir.ss/x.ss", []string{"k"}},
		"file://./dir/x.ss/k":                   {"./dir/x.ss", []string{"k"}},
		"file://../x.ss/k":                      {"../x.ss", []string{"k"}},
		"file://clock.ss/clock":                 {"clock.ss", []string{"clock"}},
		"file://Clock.ss/Clock":                 {"Clock.ss", []string{"Clock"}},
		"file:///tmp/My%20File.ss/k":            {"/tmp/My File.ss", []string{"k"}},
		"file:///tmp/My File.ss/k":              {"/tmp/My File.ss", []string{"k"}},
		"file:///tmp/a,b/x.ss/k":                {"/tmp/a,b/x.ss", []string{"k"}},
		"file:///tmp/données.ss/k":              {"/tmp/données.ss", []string{"k"}},
		"file:///tmp/x.ss/k?mode=resumable&eos": {"/tmp/x.ss", []string{"k"}},
	} {
		u, err := streamer.ParseURI(uri)
		if err != nil {
			t.Errorf("%s: %v", uri, err)
			continue
		}
		c, streams, err := parse(u)
		if err != nil || c.Path != want.path || fmt.Sprint(streams) != fmt.Sprint(want.streams) {
			t.Errorf("%s: path %q, streams %q, %v; want %q, %q", uri, c.Path, streams, err, want.path, want.streams)
		}
	}
}

// TestSplitCutsAsConnectDoes: whatever the options are.
func TestSplitCutsAsConnectDoes(t *testing.T) {
	for uri, want := range map[string]struct {
		log, streams string
		kind         error
	}{
		"file:///tmp/x.ss/a,b?mode=resumable":   {"/tmp/x.ss", "[a b]", nil},
		"file://x.ss?colour=blue&beacon=1":      {"x.ss", "[]", nil},
		"file:///tmp/x.ss/*":                    {"/tmp/x.ss", "[*]", nil},
		"file:///tmp/x/a":                       {"", "[]", streamer.ErrInvalid},
		"file://user@/tmp/x.ss/a":               {"", "[]", streamer.ErrInvalid},
		"file://a,b/tmp/x.ss/a":                 {"", "[]", streamer.ErrInvalid},
		"file:///tmp/x.ss/SEA_STREAMER_SOMEHOW": {"", "[]", streamer.ErrInvalid},
	} {
		u, err := streamer.ParseURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		log, streams, err := Split(u)
		if log != want.log || fmt.Sprint(streams) != want.streams || !errors.Is(err, want.kind) {
			t.Errorf("%s: %q, %q, %v", uri, log, streams, err)
		}
	}
}

func TestURIsThatAreRefused(t *testing.T) {
	for uri, want := range map[string]struct {
		kind error
		says string
	}{
		"file:///tmp/log/orders":                 {streamer.ErrInvalid, "file:///dir/log.ss/stream"},
		"file:///tmp/x.ss/a/b":                   {streamer.ErrInvalid, "names no .ss file"},
		"file://":                                {streamer.ErrInvalid, "names no .ss file"},
		"file:///tmp/x.SS/k":                     {streamer.ErrInvalid, "names no .ss file"},
		"file:///tmp/x.ss/SEA_STREAMER_INTERNAL": {streamer.ErrInvalid, "SeaStreamer's own"},
		"file:///tmp/x.ss/SEA_STREAMER_WILDCARD": {streamer.ErrInvalid, `"*"`},
		"file:///tmp/x.ss/a b":                   {streamer.ErrInvalid, "A-Z a-z 0-9"},
		"file://user@/tmp/x.ss/k":                {streamer.ErrInvalid, "no users"},
		"file://a,b/tmp/x.ss/k":                  {streamer.ErrInvalid, "one path"},
		"file:///tmp/x.ss/k?segment=1GB":         {streamer.ErrInvalid, "MiB"},
		"file:///tmp/x.ss/k?segment_age=0s":      {streamer.ErrInvalid, "more than 0"},
		"file:///tmp/x.ss/k?retain=committed":    {streamer.ErrInvalid, "segment=64MiB"},
		"file:///tmp/x.ss/k?follow=perhaps":      {streamer.ErrInvalid, "true or false"},
		"file:///tmp/x.ss/k?beacon=1000":         {streamer.ErrInvalid, "multiple of 1KiB"},
		"file:///tmp/x.ss/k?beacon=0":            {streamer.ErrInvalid, "multiple of 1KiB"},
		"file:///tmp/x.ss/k?beacon=4GiB":         {streamer.ErrInvalid, "below 4GiB"},
		"file:///tmp/x.ss/k?limit=0":             {streamer.ErrInvalid, "128"},
		"file:///tmp/x.ss/k?limit=1TB":           {streamer.ErrInvalid, "64MiB"},
		"file:///tmp/x.ss/k?sync=sometimes":      {streamer.ErrInvalid, "none, always"},
		"file:///tmp/x.ss/k?sync=0s":             {streamer.ErrInvalid, "none, always"},
		"file:///tmp/x.ss/k?shards=0":            {streamer.ErrInvalid, "1 to 65536"},
		"file:///tmp/x.ss/k?create=sure":         {streamer.ErrInvalid, "create"},
		"file:///tmp/x.ss/k?shard=3":             {streamer.ErrInvalid, "shards"},
	} {
		s, err := streamer.Connect(t.Context(), uri)
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, want.kind) || !strings.Contains(fmt.Sprint(err), want.says) {
			t.Errorf("%s: %v; want %v that says %q", uri, err, want.kind, want.says)
		}
	}
}

func TestADirectoryIsNotALog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir.ss")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{"file://" + dir, "file://" + dir + "/orders"} {
		if _, err := streamer.Connect(t.Context(), uri); !errors.Is(err, streamer.ErrUnsupported) || !strings.Contains(err.Error(), "directory") {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

// TestBothDoorsOpenTheSame: each option is a field, and a bad field is refused
// like a bad option.
func TestBothDoorsOpenTheSame(t *testing.T) {
	u, err := streamer.ParseURI("file:///x.ss/k?follow=false&eos=true&beacon=2KiB&limit=1GiB&sync=100ms&shards=4&create=always&segment=1MiB&segment_age=1h&retain_bytes=1GiB&retain_age=2h&retain=committed")
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := parse(u)
	want := Config{Path: "/x.ss", Create: streamer.CreateAlways, NoFollow: true, EOS: true, Beacon: 2 << 10, Limit: 1 << 30, Sync: 100 * time.Millisecond, Shards: 4,
		Segment: 1 << 20, SegmentAge: time.Hour, RetainBytes: 1 << 30, RetainAge: 2 * time.Hour, RetainCommitted: true}
	if err != nil || c != want {
		t.Errorf("%+v, %v; want %+v", c, err, want)
	}
	for name, c := range map[string]Config{
		"no path": {}, "a path without .ss": {Path: "/x"}, "Beacon": {Path: "x.ss", Beacon: 1}, "Limit": {Path: "x.ss", Limit: 100}, "Sync": {Path: "x.ss", Sync: -2},
		"Shards": {Path: "x.ss", Shards: MaxShards + 1}, "Create": {Path: "x.ss", Create: 9}, "Segment": {Path: "x", Segment: -1},
		"RetainAge": {Path: "x", Segment: 1, RetainAge: -1}, "retention without segments": {Path: "x.ss", RetainBytes: 1},
	} {
		if _, err := Connect(t.Context(), c, streamer.StreamerOptions{}); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestURIToTheEnd connects by the registered scheme.
func TestURIToTheEnd(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, uri := range []string{"file://clock.ss/clock", "file://./clock.ss/clock?follow=false&start=beginning"} {
		s, err := streamer.Connect(t.Context(), uri)
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Producer(t.Context(), streamer.ProducerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Send(t.Context(), streamer.Record{Value: []byte("tick")}).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTheErrorAboutAMissingLogSaysWhatToDo.
func TestTheErrorAboutAMissingLogSaysWhatToDo(t *testing.T) {
	r := newRig(t)
	_, err := r.connect().Consumer(r.ctx, streamer.ConsumerOptions{Streams: []string{"a"}})
	r.is(err, streamer.ErrNotFound)
	r.is(err, fs.ErrNotExist)
	for _, w := range []string{r.cfg.Path, "create=always", "Admin.Create"} {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%v: nothing of %s", err, w)
		}
	}
	_, err = r.connect(func(c *Config) { c.Create = streamer.CreateNever }).Producer(r.ctx, streamer.ProducerOptions{Stream: "a"})
	r.is(err, streamer.ErrNotFound)
	if !strings.Contains(err.Error(), "create=never") {
		t.Error(err)
	}
}
