package observe

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// Observer reports on a session or a producer to hooks and the logger.
type Observer struct {
	Backend, Group string
	Hooks          *streamer.Hooks
	Log            *slog.Logger

	outage outage
	stalls stalls
}

// LoggerOr is l or, if that is nil, a logger that passes only warnings to
// slog.Default.
func LoggerOr(l *slog.Logger) *slog.Logger {
	if l != nil {
		return l
	}
	return slog.New(warnings{slog.Default().Handler()})
}

// warnings drops records below a warning.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

func (w warnings) WithAttrs(a []slog.Attr) slog.Handler { return warnings{w.Handler.WithAttrs(a)} }
func (w warnings) WithGroup(name string) slog.Handler   { return warnings{w.Handler.WithGroup(name)} }

func (o *Observer) Fetched(counts []streamer.FetchEvent, took time.Duration) {
	for _, e := range counts {
		e.Took = took
		o.Hooks.Fetched(e)
	}
}

func (o *Observer) Committed(shards int, took time.Duration, err error) {
	if o.Hooks.Committed != nil {
		o.Hooks.Committed(streamer.CommitEvent{Group: o.Group, Shards: shards, Took: took, Err: err})
	}
}

func (o *Observer) Assigned(gained, revoked []streamer.StreamShard, lost bool) {
	if len(gained)+len(revoked) == 0 {
		return
	}
	o.Log.Info("assignment changed", "backend", o.Backend, "group", o.Group, "gained", len(gained), "revoked", len(revoked), "lost", lost)
	if o.Hooks.Assigned != nil {
		o.Hooks.Assigned(streamer.AssignEvent{Group: o.Group, Gained: gained, Revoked: revoked, Lost: lost})
	}
}

// Retrying reports a failure of a call by the engine. Succeeded ends it.
func (o *Observer) Retrying(op string, err error, after time.Duration) { o.fails(op, op, err, after) }

// Succeeded reports that a call succeeded. It costs little where none has
// failed.
func (o *Observer) Succeeded(op string) { o.works(op, MinGap) }

// Beneath is SourceConfig.Retrying and SinkConfig.Retrying: what a backend
// itself retries, until it reports that it works again.
func (o *Observer) Beneath(op string, err error, after time.Duration) {
	name := "beneath " + op
	if err == nil {
		o.works(name, 0)
		return
	}
	o.fails(name, op, err, after)
}

func (o *Observer) fails(name, op string, err error, after time.Duration) {
	if o.outage.begin(name, err, after, time.Now()) {
		o.Log.Warn("retrying", "backend", o.Backend, "op", op, "after", after, "err", err)
	}
	if o.Hooks.Retrying != nil {
		o.Hooks.Retrying(streamer.RetryEvent{Op: op, Err: err, After: after})
	}
}

func (o *Observer) works(name string, ago time.Duration) {
	if lasted, over := o.outage.end(name, time.Now(), ago); over {
		o.Log.Info("going on", "backend", o.Backend, "after", lasted.Round(time.Millisecond))
	}
}

func (o *Observer) Stalled(e streamer.StallEvent) {
	if o.stalls.news(e) {
		o.logStall(e)
	}
	if o.Hooks.Stalled != nil {
		o.Hooks.Stalled(e)
	}
}

func (o *Observer) logStall(e streamer.StallEvent) {
	o.Log.Warn("shard stalled: its oldest message is not acknowledged", "backend", o.Backend, "group", e.Group,
		"stream", e.Stream, "shard", e.Shard, "in_flight", e.InFlight, "oldest", e.Oldest.String())
}

// stalls holds the message that each shard was last reported to wait for.
type stalls struct {
	mu     sync.Mutex
	oldest map[streamer.StreamShard]streamer.SeqNo
}

// news says that the shard waits for another message than before.
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

func (o *Observer) Gone(s streamer.StreamShard, wanted, got streamer.SeqNo) {
	o.Log.Warn("position does not exist any more", "backend", o.Backend, "group", o.Group, "stream", s.Stream, "shard", s.Shard,
		"wanted", wanted.String(), "got", got.String())
	if o.Hooks.Gone != nil {
		o.Hooks.Gone(streamer.GoneEvent{StreamShard: s, Wanted: wanted, Got: got})
	}
}

func (o *Observer) Skipped(s streamer.StreamShard, seq streamer.SeqNo, err error) {
	o.Log.Warn("entry skipped", "backend", o.Backend, "group", o.Group, "stream", s.Stream, "shard", s.Shard, "seq", seq.String(), "err", err)
	if o.Hooks.Skipped != nil {
		o.Hooks.Skipped(streamer.SkipEvent{StreamShard: s, Seq: seq, Err: err})
	}
}
