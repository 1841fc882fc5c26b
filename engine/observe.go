package engine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// observer is where a session and a producer tell of themselves: hooks and logger, under the names that users know.
type observer struct {
	backend, group string
	hooks          *streamer.Hooks
	log            *slog.Logger

	spell  spell
	stalls stalls
}

// loggerOr is l, or one that passes warnings alone to slog.Default.
func loggerOr(l *slog.Logger) *slog.Logger {
	if l != nil {
		return l
	}
	return slog.New(warnings{slog.Default().Handler()})
}

// warnings hides what is below a warning.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

func (w warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{w.Handler.WithAttrs(a)} }
func (w warnings) WithGroup(name string) slog.Handler   { return warnings{w.Handler.WithGroup(name)} }

func (o *observer) fetched(counts []streamer.FetchEvent, took time.Duration) {
	for _, e := range counts {
		e.Took = took
		o.hooks.Fetched(e)
	}
}

func (o *observer) committed(shards int, took time.Duration, err error) {
	if o.hooks.Committed != nil {
		o.hooks.Committed(streamer.CommitEvent{Group: o.group, Shards: shards, Took: took, Err: err})
	}
}

func (o *observer) assigned(gained, revoked []streamer.StreamShard, lost bool) {
	if len(gained)+len(revoked) == 0 {
		return
	}
	o.log.Info("assignment changed", "backend", o.backend, "group", o.group, "gained", len(gained), "revoked", len(revoked), "lost", lost)
	if o.hooks.Assigned != nil {
		o.hooks.Assigned(streamer.AssignEvent{Group: o.group, Gained: gained, Revoked: revoked, Lost: lost})
	}
}

// retrying tells of a failure of the engine's calls, which succeeded ends.
func (o *observer) retrying(op string, err error, after time.Duration) { o.fails(op, op, err, after) }

// succeeded tells that a call succeeded. It costs little where none has failed.
func (o *observer) succeeded(op string) { o.works(op, settled) }

// beneath is SourceConfig.Retrying and SinkConfig.Retrying: what a backend retries by itself, until it says that it works again.
func (o *observer) beneath(op string, err error, after time.Duration) {
	name := "beneath " + op
	if err == nil {
		o.works(name, 0)
		return
	}
	o.fails(name, op, err, after)
}

func (o *observer) fails(name, op string, err error, after time.Duration) {
	if o.spell.begin(name, err, after, time.Now()) {
		o.log.Warn("retrying", "backend", o.backend, "op", op, "after", after, "err", err)
	}
	if o.hooks.Retrying != nil {
		o.hooks.Retrying(streamer.RetryEvent{Op: op, Err: err, After: after})
	}
}

func (o *observer) works(name string, ago time.Duration) {
	if lasted, over := o.spell.end(name, time.Now(), ago); over {
		o.log.Info("going on", "backend", o.backend, "after", lasted.Round(time.Millisecond))
	}
}

func (o *observer) stalled(e streamer.StallEvent) {
	if o.stalls.news(e) {
		o.logStall(e)
	}
	if o.hooks.Stalled != nil {
		o.hooks.Stalled(e)
	}
}

func (o *observer) logStall(e streamer.StallEvent) {
	o.log.Warn("shard stalled: its oldest message is not acknowledged", "backend", o.backend, "group", e.Group,
		"stream", e.Stream, "shard", e.Shard, "in_flight", e.InFlight, "oldest", e.Oldest.String())
}

// stalls is the message that each shard was last said to wait for.
type stalls struct {
	mu     sync.Mutex
	oldest map[streamer.StreamShard]streamer.SeqNo
}

// news says that the shard waits for another message than it did.
func (s *stalls) news(e streamer.StallEvent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was, ok := s.oldest[e.StreamShard]; ok && was == e.Oldest {
		return false
	}
	if s.oldest == nil {
		s.oldest = make(map[streamer.StreamShard]streamer.SeqNo)
	}
	s.oldest[e.StreamShard] = e.Oldest
	return true
}

func (o *observer) gone(s streamer.StreamShard, wanted, got streamer.SeqNo) {
	o.log.Warn("position does not exist any more", "backend", o.backend, "group", o.group, "stream", s.Stream, "shard", s.Shard,
		"wanted", wanted.String(), "got", got.String())
	if o.hooks.Gone != nil {
		o.hooks.Gone(streamer.GoneEvent{StreamShard: s, Wanted: wanted, Got: got})
	}
}

func (o *observer) skipped(s streamer.StreamShard, seq streamer.SeqNo, err error) {
	o.log.Warn("entry skipped", "backend", o.backend, "group", o.group, "stream", s.Stream, "shard", s.Shard, "seq", seq.String(), "err", err)
	if o.hooks.Skipped != nil {
		o.hooks.Skipped(streamer.SkipEvent{StreamShard: s, Seq: seq, Err: err})
	}
}
