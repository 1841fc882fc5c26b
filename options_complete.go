package streamer

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"
)

// complete checks a consumer's options and fills in the defaults. call is the
// argument alone, inherited what the URI and StreamerOptions say.
func (call ConsumerOptions) complete(inherited ConsumerOptions) (ConsumerOptions, error) {
	o := call.over(inherited)
	o.Streams = unique(o.Streams)
	if err := cmp.Or(o.checkNames(), o.checkValues()); err != nil {
		return o, err
	}
	o.setDefaults()
	if err := o.completeMode(); err != nil {
		return o, err
	}
	if call.AckDelay != 0 && o.Ack != AckDelayed {
		return o, invalid("ack_delay is for ack=delayed alone")
	}
	return o, nil
}

// completeMode checks group and shards, which depend on the mode.
func (o *ConsumerOptions) completeMode() error {
	switch {
	case o.Mode == RealTime && o.Group != "":
		return invalid("group %q: RealTime has no group, it keeps no position; "+
			"leave the group out, or want mode=load-balanced or mode=resumable", o.Group)
	case o.Mode == LoadBalanced && o.Group == "":
		return invalid("group: LoadBalanced needs one (group=… in the URI, ConsumerOptions.Group)")
	case o.Mode == LoadBalanced && len(o.Shards) > 0:
		return invalid("shards: LoadBalanced shares all shards among the members; " +
			"leave assign= out, or want mode=resumable to choose")
	case o.Mode == Resumable && o.Group == "":
		group, err := DefaultGroup()
		o.Group = group
		return err
	}
	return nil
}

// mode is Mode, or what the other options make of none.
func (o *ConsumerOptions) mode() ConsumerMode {
	if o.Mode == 0 && o.Group != "" {
		return LoadBalanced
	}
	return cmp.Or(o.Mode, RealTime)
}

func (o *ConsumerOptions) checkNames() error {
	switch {
	case len(o.Streams) == 0:
		return invalid("no stream: name one in the URI's path or in ConsumerOptions.Streams")
	case slices.Contains(o.Streams, ""):
		return invalid("a stream's name is empty")
	}
	return nil
}

func (o *ConsumerOptions) setDefaults() {
	o.Mode = o.mode()
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
	o.Prefetch = min(o.Prefetch, noLimit)
	unlimited(&o.MaxInFlight)
	unlimited(&o.BufferBytes)
}

func (o *ProducerOptions) setDefaults() {
	orDefault(&o.MaxBuffered, defaultMaxBuffered)
	orDefault(&o.MaxBufferedBytes, defaultBuffer)
	orDefault(&o.DeliveryTimeout, defaultDeliveryTimeout)
	if o.Linger <= atOnce {
		o.Linger = 0
	}
	if o.DeliveryTimeout == NoLimit || o.DeliveryTimeout > forever {
		o.DeliveryTimeout = forever
	}
	unlimited(&o.MaxBuffered)
	unlimited(&o.MaxBufferedBytes)
}

// atOnce is what a URI's duration of 0 is in Go's fields, where 0 is "not set".
const atOnce time.Duration = 1

// unlimited turns NoLimit, and what is as good, into a limit that is never
// reached.
func unlimited(v *int) {
	if *v == NoLimit || *v > noLimit {
		*v = noLimit
	}
}
