package stdio

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// opened is a source as the engine sees it.
type opened struct {
	*source
	t testing.TB

	assigned []streamer.StreamShard
	held     []streamer.Message // emitted; the test has those taken out that it hands out
	skipped  []streamer.SkipEvent
	log      strings.Builder
}

func (o *opened) config(streams ...string) driver.SourceConfig {
	return driver.SourceConfig{
		Streams:  streams,
		Mode:     streamer.RealTime,
		Reset:    streamer.Latest,
		MaxBatch: 1000,
		Logger:   slog.New(slog.NewTextHandler(&o.log, nil)),
		Assigned: func(all []streamer.StreamShard) { o.assigned = all },
		InFlight: o.inFlight,
		Skipped: func(s streamer.StreamShard, seq streamer.SeqNo, err error) {
			o.skipped = append(o.skipped, streamer.SkipEvent{StreamShard: s, Seq: seq, Err: err})
		},
	}
}

// inFlight says that what is held was not handed out.
func (o *opened) inFlight(at streamer.StreamShard) iter.Seq2[streamer.SeqNo, bool] {
	return func(yield func(streamer.SeqNo, bool) bool) {
		for i := range o.held {
			m := &o.held[i]
			if m.Stream == at.Stream && m.Shard == at.Shard && !yield(m.Seq, false) {
				return
			}
		}
	}
}

// openOn opens a source, which the test's end closes.
func openOn(t testing.TB, in *input, f Format, streams ...string) *opened {
	t.Helper()
	o := &opened{t: t}
	s, err := openSource(testContext(t), in, f, o.config(streams...))
	if err != nil {
		t.Fatal(err)
	}
	o.source = s
	t.Cleanup(o.close)
	return o
}

func (o *opened) close() {
	if err := o.Close(testContext(o.t)); err != nil {
		o.t.Error(err)
	}
}

// fetch is the messages of one Fetch.
func (o *opened) fetch() ([]streamer.Message, error) {
	var all []streamer.Message
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := o.Fetch(ctx, func(slab []streamer.Message) { all = append(all, slab...) })
	return all, err
}

// next fetches n messages.
func (o *opened) next(n int) []streamer.Message {
	o.t.Helper()
	var all []streamer.Message
	for len(all) < n {
		m, err := o.fetch()
		if err != nil {
			o.t.Fatalf("after %d of %d messages: %v", len(all), n, err)
		}
		all = append(all, m...)
	}
	if len(all) != n {
		o.t.Fatalf("%d messages, want %d", len(all), n)
	}
	return all
}

// all fetches up to the end of the input.
func (o *opened) all() []streamer.Message {
	o.t.Helper()
	var all []streamer.Message
	for {
		m, err := o.fetch()
		all = append(all, m...)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			o.t.Fatal(err)
		}
	}
}

// readAll is the messages of a whole input.
func readAll(t testing.TB, input string, f Format, streams ...string) []streamer.Message {
	t.Helper()
	return openOn(t, newInput(strings.NewReader(input), maxLine), f, streams...).all()
}

// show renders messages shortly: stream/shard#seq=value.
func show(all []streamer.Message) string {
	var b strings.Builder
	for i := range all {
		m := &all[i]
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(m.Stream + "/")
		b.WriteString(streamer.SeqUint(uint64(m.Shard)).String() + "#" + m.Seq.String() + "=" + string(m.Value))
	}
	return b.String()
}
