package options

import (
	"cmp"
	"slices"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine/internal/boundary"
)

// Complete checks a consumer's options and fills in the defaults. call is the
// argument of Consumer, inherited the options of the URI and the Streamer.
func Complete(call, inherited streamer.ConsumerOptions) (streamer.ConsumerOptions, error) {
	o := ConsumerOver(call, inherited)
	o.Streams = Unique(o.Streams)
	if err := cmp.Or(checkNames(&o), CheckConsumer(&o)); err != nil {
		return o, err
	}
	consumerDefaults(&o)
	if err := completeMode(&o); err != nil {
		return o, err
	}
	if call.AckDelay != 0 && o.Ack != streamer.AckDelayed {
		return o, boundary.Invalid("ack_delay is for ack=delayed alone")
	}
	return o, nil
}

// completeMode checks group and shards, which depend on the mode.
func completeMode(o *streamer.ConsumerOptions) error {
	switch {
	case o.Mode == streamer.RealTime && o.Group != "":
		return boundary.Invalid("group %q: RealTime has no group, it keeps no position; "+
			"leave the group out, or want mode=load-balanced or mode=resumable", o.Group)
	case o.Mode == streamer.LoadBalanced && o.Group == "":
		return boundary.Invalid("group: LoadBalanced needs one (group=… in the URI, ConsumerOptions.Group)")
	case o.Mode == streamer.LoadBalanced && len(o.Shards) > 0:
		return boundary.Invalid("shards: LoadBalanced shares all shards among the members; " +
			"leave assign= out, or want mode=resumable to choose")
	case o.Mode == streamer.Resumable && o.Group == "":
		group, err := streamer.DefaultGroup()
		o.Group = group
		return err
	}
	return nil
}

// modeOf is Mode or, if that is not set, the mode that follows from the other
// options.
func modeOf(o *streamer.ConsumerOptions) streamer.ConsumerMode {
	if o.Mode == 0 && o.Group != "" {
		return streamer.LoadBalanced
	}
	return cmp.Or(o.Mode, streamer.RealTime)
}

func checkNames(o *streamer.ConsumerOptions) error {
	switch {
	case len(o.Streams) == 0:
		return boundary.Invalid("no stream: name one in the URI's path or in ConsumerOptions.Streams")
	case slices.Contains(o.Streams, ""):
		return boundary.Invalid("a stream's name is empty")
	}
	return nil
}

func consumerDefaults(o *streamer.ConsumerOptions) {
	o.Mode = modeOf(o)
	OrDefault(&o.AutoReset, streamer.Latest)
	OrDefault(&o.Ack, streamer.AckOnReturn)
	OrDefault(&o.AckDelay, defaultAckDelay)
	OrDefault(&o.CommitEvery, defaultCommitEvery)
	OrDefault(&o.MaxInFlight, defaultMaxInFlight)
	OrDefault(&o.Prefetch, defaultPrefetch)
	OrDefault(&o.BufferBytes, defaultBuffer)
	if o.Name == "" {
		o.Name = uuid.NewString()
	}
	o.Prefetch = min(o.Prefetch, NoLimit)
	unlimited(&o.MaxInFlight)
	unlimited(&o.BufferBytes)
}

func ProducerDefaults(o *streamer.ProducerOptions) {
	OrDefault(&o.MaxBuffered, defaultMaxBuffered)
	OrDefault(&o.MaxBufferedBytes, defaultBuffer)
	OrDefault(&o.DeliveryTimeout, defaultDeliveryTimeout)
	if o.Linger <= driver.AtOnce {
		o.Linger = 0
	}
	if o.DeliveryTimeout == streamer.NoLimit || o.DeliveryTimeout > Forever {
		o.DeliveryTimeout = Forever
	}
	unlimited(&o.MaxBuffered)
	unlimited(&o.MaxBufferedBytes)
}

// unlimited turns NoLimit, and limits that are never reached, into noLimit.
func unlimited(v *int) {
	if *v == streamer.NoLimit || *v > NoLimit {
		*v = NoLimit
	}
}

// OrDefault sets *v to d if it is zero.
func OrDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Unique drops repeated names.
func Unique(names []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
