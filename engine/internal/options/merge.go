package options

import (
	"cmp"

	"github.com/gostreamer/streamer"
)

// Options come in layers (streamer.ConnectWith). Zero is "not set" in all of
// them.

// Merge takes each option from over, else from under.
func Merge(over, under streamer.StreamerOptions) streamer.StreamerOptions {
	return streamer.StreamerOptions{
		Consumer:     ConsumerOver(over.Consumer, under.Consumer),
		Producer:     ProducerOver(over.Producer, under.Producer),
		Logger:       cmp.Or(over.Logger, under.Logger),
		Hooks:        streamer.JoinHooks(over.Hooks, under.Hooks),
		CloseTimeout: cmp.Or(over.CloseTimeout, under.CloseTimeout),
	}
}

// ConsumerOver takes each option from o, else from base.
func ConsumerOver(o, base streamer.ConsumerOptions) streamer.ConsumerOptions {
	base = underMode(base, o.Mode)
	return streamer.ConsumerOptions{
		Streams:     firstSlice(o.Streams, base.Streams),
		Mode:        cmp.Or(o.Mode, base.Mode),
		Group:       cmp.Or(o.Group, base.Group),
		Name:        cmp.Or(o.Name, base.Name),
		Start:       cmp.Or(o.Start, base.Start),
		AutoReset:   cmp.Or(o.AutoReset, base.AutoReset),
		Shards:      firstSlice(o.Shards, base.Shards),
		Ack:         cmp.Or(o.Ack, base.Ack),
		AckDelay:    cmp.Or(o.AckDelay, base.AckDelay),
		CommitEvery: cmp.Or(o.CommitEvery, base.CommitEvery),
		MaxInFlight: cmp.Or(o.MaxInFlight, base.MaxInFlight),
		Prefetch:    cmp.Or(o.Prefetch, base.Prefetch),
		BufferBytes: cmp.Or(o.BufferBytes, base.BufferBytes),
	}
}

// ProducerOver takes each option from o, else from base.
func ProducerOver(o, base streamer.ProducerOptions) streamer.ProducerOptions {
	return streamer.ProducerOptions{
		Stream:           cmp.Or(o.Stream, base.Stream),
		Linger:           cmp.Or(o.Linger, base.Linger),
		MaxBuffered:      cmp.Or(o.MaxBuffered, base.MaxBuffered),
		MaxBufferedBytes: cmp.Or(o.MaxBufferedBytes, base.MaxBufferedBytes),
		DeliveryTimeout:  cmp.Or(o.DeliveryTimeout, base.DeliveryTimeout),
	}
}

// underMode is o below a layer that sets mode. A mode that replaces another one
// also replaces what was set for that one: RealTime has no group, LoadBalanced
// no choice of shards.
func underMode(o streamer.ConsumerOptions, mode streamer.ConsumerMode) streamer.ConsumerOptions {
	if mode == 0 || o.Mode == 0 || mode == o.Mode {
		return o
	}
	switch mode {
	case streamer.RealTime:
		o.Group = ""
	case streamer.LoadBalanced:
		o.Shards = nil
	}
	return o
}

// firstSlice is a, or b if a is empty.
func firstSlice[T any](a, b []T) []T {
	if len(a) > 0 {
		return a
	}
	return b
}
