package streamer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// opening says how a consumer's next session reads.
type opening struct {
	mode   ConsumerMode
	dealt  bool                 // for a group in this process
	start  Position             // zero: the committed position, else Start, else AutoReset
	shards map[string][]ShardID // nil: all
}

// open opens a session and returns the consumer's queue on it.
func (c *consumer) open(ctx context.Context, o opening) (*queue, error) {
	if o.mode != LoadBalanced {
		return c.openOwn(ctx, o)
	}
	q, err := c.openOwn(ctx, o)
	if !errors.Is(err, ErrNoGroups) {
		return q, err
	}
	return c.openDealt(ctx)
}

// openOwn opens a session of the consumer's own.
func (c *consumer) openOwn(ctx context.Context, o opening) (*queue, error) {
	s := newSession(c.sessionOptions(o.mode), c.obs)
	q := newQueue(s, c.obs)
	s.queues = []*queue{q}
	if err := s.open(ctx, c.home.b, c.sourceConfig(o)); err != nil {
		return nil, err
	}
	if k := o.first(c.o.Start).Kind(); k != AtSeq && k != AfterSeq {
		return q, nil
	}
	if err := oneShard(len(s.assignment())); err != nil {
		c.closeOld(q)
		return nil, err
	}
	return q, nil
}

// first is the position that decides where a shard starts for which none is committed.
func (o *opening) first(fallback Position) Position {
	if o.start.Kind() != AtCommitted {
		return o.start
	}
	return fallback
}

// openDealt makes the consumer a member of a group that lives in this process. The group's source is Resumable where the backend keeps positions.
func (c *consumer) openDealt(ctx context.Context) (*queue, error) {
	group := groupOptions{streams: c.o.Streams, session: c.sessionOptions(LoadBalanced), reset: c.o.AutoReset, start: c.o.Start}
	group.session.dealt = true
	q := newQueue(nil, c.obs)
	err := c.home.deals().join(ctx, c.o.Group, group, q, func(s *session) error {
		err := s.open(ctx, c.home.b, c.sourceConfig(opening{mode: Resumable, dealt: true}))
		if errors.Is(err, ErrUnsupported) {
			err = s.open(ctx, c.home.b, c.sourceConfig(opening{mode: RealTime, dealt: true}))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return q, nil
}

func (c *consumer) sessionOptions(mode ConsumerMode) sessionOptions {
	return sessionOptions{
		mode:        mode,
		ack:         c.o.Ack,
		ackDelay:    c.o.AckDelay,
		commitEvery: c.o.CommitEvery,
		maxInFlight: c.o.MaxInFlight,
		prefetch:    c.o.Prefetch,
		bufferBytes: c.o.BufferBytes,
	}
}

func (c *consumer) sourceConfig(o opening) SourceConfig {
	cfg := SourceConfig{
		Streams:  slices.Clone(c.o.Streams),
		Shards:   o.shards,
		Mode:     o.mode,
		Dealt:    o.dealt,
		Start:    o.start,
		Fallback: c.o.Start,
		Reset:    c.o.AutoReset,
		Logger:   c.obs.log,
	}
	switch {
	case o.mode != RealTime:
		cfg.Group, cfg.Name = c.o.Group, c.o.Name
	case o.start.Kind() == AtCommitted: // nothing is committed in RealTime
		cfg.Start = c.o.Start
	}
	return cfg
}

// checkStart refuses a Start that names a sequence number where several shards would start there. Who commits its first position must know
// before opening; a backend without Admin tells after it.
func (c *consumer) checkStart(ctx context.Context) error {
	if err := c.o.Start.check(); err != nil {
		return err
	}
	k := c.o.Start.Kind()
	admin, ok := c.home.b.(Admin)
	if k != AtSeq && k != AfterSeq || !ok || c.o.Mode == RealTime {
		return nil
	}
	n := 0
	for _, stream := range c.o.Streams {
		info, err := admin.Describe(ctx, stream)
		if err != nil {
			return nil //nolint:nilerr // OpenSource says it better
		}
		for _, sh := range info.Shards {
			if len(c.o.Shards) == 0 || slices.Contains(c.o.Shards, sh.ID) {
				n++
			}
		}
	}
	return oneShard(n)
}

// complete checks a consumer's options and fills in the defaults. call is the argument alone: what is set there and of no use is an error,
// what is inherited is ignored.
func (call ConsumerOptions) complete(inherited ConsumerOptions) (ConsumerOptions, error) {
	o := call.over(inherited)
	o.Streams = unique(o.Streams)
	if err := o.checkValues(); err != nil {
		return o, err
	}
	o.setDefaults()
	switch o.Mode {
	case RealTime:
		if call.Group != "" {
			return o, invalid("group %q: RealTime has no group, it keeps no position; want mode=resumable or mode=load-balanced", call.Group)
		}
		o.Group = ""
	case LoadBalanced:
		if len(call.Shards) > 0 {
			return o, invalid("shards: LoadBalanced shares all shards among the members; want mode=resumable to choose")
		}
		o.Shards = nil
		if o.Group == "" {
			return o, invalid("group: LoadBalanced needs one (group=… in the URI, ConsumerOptions.Group)")
		}
	case Resumable:
		if err := o.defaultGroup(); err != nil {
			return o, err
		}
	}
	if call.AckDelay != 0 && o.Ack != AckDelayed {
		return o, invalid("ack_delay is for ack=delayed alone")
	}
	return o, nil
}

func (o *ConsumerOptions) defaultGroup() (err error) {
	if o.Group == "" {
		o.Group, err = DefaultGroup()
	}
	return err
}

func (o *ConsumerOptions) checkValues() error {
	switch {
	case len(o.Streams) == 0:
		return invalid("no stream: name one in the URI's path or in ConsumerOptions.Streams")
	case slices.Contains(o.Streams, ""):
		return invalid("a stream's name is empty")
	case o.Mode > LoadBalanced:
		return invalid("mode %d is none of RealTime, Resumable, LoadBalanced", o.Mode)
	case o.AutoReset > ResetError:
		return invalid("AutoReset %d is none of Latest, Earliest, ResetError", o.AutoReset)
	case o.Ack > AckOnDelivery:
		return invalid("ack policy %d is none of AckOnReturn, AckManual, AckDelayed, AckOnDelivery", o.Ack)
	}
	return nil
}

func (o *ConsumerOptions) setDefaults() {
	orDefault(&o.Mode, RealTime)
	orDefault(&o.AutoReset, Latest)
	orDefault(&o.Ack, AckOnReturn)
	orDefault(&o.AckDelay, defaultAckDelay)
	orDefault(&o.CommitEvery, defaultCommitEvery)
	orDefault(&o.MaxInFlight, defaultMaxInFlight)
	orDefault(&o.Prefetch, defaultPrefetch)
	orDefault(&o.BufferBytes, defaultBuffer)
	if o.Name == "" {
		o.Name = uuid.NewString()
	}
	o.AckDelay = max(o.AckDelay, 0)
	o.CommitEvery = max(o.CommitEvery, Never)
	o.Prefetch = max(o.Prefetch, 1)
	unlimited(&o.MaxInFlight)
	unlimited(&o.BufferBytes)
}

// orDefault sets what is not set.
func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// unlimited turns a negative limit, which says that there is none, into one that is never reached.
func unlimited(v *int) {
	if *v < 0 {
		*v = noLimit
	}
}

// unique drops repeated names: a stream named twice is read once.
func unique(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func invalid(format string, args ...any) error {
	return &Error{Kind: ErrInvalid, Err: fmt.Errorf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &Error{Kind: ErrUnsupported, Err: fmt.Errorf(format, args...)}
}
