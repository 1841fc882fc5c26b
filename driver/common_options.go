package driver

import (
	"time"

	"github.com/gostreamer/streamer"
)

// CommonOptions returns the table of the URI options that every backend knows.
// Options parses with it, Bind accepts its keys, and the command line and the
// documentation print it. The slice is the caller's.
func CommonOptions() []URIOption[streamer.StreamerOptions] {
	return []URIOption[streamer.StreamerOptions]{
		field("mode", "realtime, resumable or load-balanced (default load-balanced with a group, else realtime)", parseMode,
			func(o *streamer.StreamerOptions) *streamer.ConsumerMode { return &o.Consumer.Mode }),
		field("group", "the consumer group; load-balanced needs one, realtime has none (default of resumable: this host and program)", parseName,
			func(o *streamer.StreamerOptions) *string { return &o.Consumer.Group }),
		field("name", "this member's name in the group (default a UUID)", parseText,
			func(o *streamer.StreamerOptions) *string { return &o.Consumer.Name }),
		field("start", "where to start when no position is committed: beginning, end, a time such as 2026-01-02T15:04:05Z, or -1h (default: reset decides)", parseStart,
			func(o *streamer.StreamerOptions) *streamer.Position { return &o.Consumer.Start }),
		field("reset", "where to go when no position is committed and start is not set: latest, earliest or error (default latest)", parseReset,
			func(o *streamer.StreamerOptions) *streamer.AutoReset { return &o.Consumer.AutoReset }),
		field("ack", "who acknowledges: on-return, manual, delayed or on-delivery (default on-return)", parseAck,
			func(o *streamer.StreamerOptions) *streamer.AckPolicy { return &o.Consumer.Ack }),
		field("ack_delay", "how long after delivery ack=delayed acknowledges (default 5s, most 1176h)", parseSpan,
			func(o *streamer.StreamerOptions) *time.Duration { return &o.Consumer.AckDelay }),
		field("commit", "how often acknowledged progress is committed, or never (default 1s)", parseCommit,
			func(o *streamer.StreamerOptions) *time.Duration { return &o.Consumer.CommitEvery }),
		field("assign", "read only these shards of every stream, such as 0,3 (default all); not with load-balanced", parseShards,
			func(o *streamer.StreamerOptions) *[]streamer.ShardID { return &o.Consumer.Shards }),
		field("max_in_flight", "messages of a shard delivered and not acknowledged before it pauses; 0: no limit (default 1000)", parseLimit,
			func(o *streamer.StreamerOptions) *int { return &o.Consumer.MaxInFlight }),
		field("prefetch", "messages fetched ahead (default 1000, least 1)", parseAhead,
			func(o *streamer.StreamerOptions) *int { return &o.Consumer.Prefetch }),
		field("buffer", "bytes fetched ahead; 0: no limit (default 64MiB)", parseBytes,
			func(o *streamer.StreamerOptions) *int { return &o.Consumer.BufferBytes }),
		field("linger", "how long a record waits for a fuller batch (default 0)", parseSpan,
			func(o *streamer.StreamerOptions) *time.Duration { return &o.Producer.Linger }),
		field("max_buffered", "records sent and not yet stored before Send waits; 0: no limit (default 50000)", parseLimit,
			func(o *streamer.StreamerOptions) *int { return &o.Producer.MaxBuffered }),
		field("max_buffered_bytes", "bytes sent and not yet stored before Send waits; 0: no limit (default 64MiB)", parseBytes,
			func(o *streamer.StreamerOptions) *int { return &o.Producer.MaxBufferedBytes }),
		field("delivery_timeout", "from Send to giving a record up; 0: no limit (default 2m)", parseTimeout,
			func(o *streamer.StreamerOptions) *time.Duration { return &o.Producer.DeliveryTimeout }),
		field("close_timeout", "how long Close may flush and commit (default 20s)", parseSpan,
			func(o *streamer.StreamerOptions) *time.Duration { return &o.CloseTimeout }),
	}
}

// field is an option that sets one field. The field keeps its value when parse
// fails.
func field[T any](key, doc string, parse func(string) (T, error), of func(*streamer.StreamerOptions) *T) URIOption[streamer.StreamerOptions] {
	set := func(o *streamer.StreamerOptions, value string) error {
		v, err := parse(value)
		if err == nil {
			*of(o) = v
		}
		return err
	}
	return URIOption[streamer.StreamerOptions]{Key: key, Doc: doc, Set: set}
}
