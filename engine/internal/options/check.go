package options

import (
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/boundary"
)

// maxAckDelay is below the range of a session's clock, which counts
// milliseconds in 32 bits.
const maxAckDelay = 49 * 24 * time.Hour

// CheckStreamer refuses values that are out of range. Whether options go
// together is checked when a consumer or a producer is opened.
func CheckStreamer(o *streamer.StreamerOptions) error {
	if o.CloseTimeout < 0 {
		return negative("CloseTimeout", o.CloseTimeout, "a duration, or 0 for 20s")
	}
	if err := CheckConsumer(&o.Consumer); err != nil {
		return err
	}
	return CheckProducer(&o.Producer)
}

func CheckConsumer(o *streamer.ConsumerOptions) error {
	switch {
	case o.Mode > streamer.LoadBalanced:
		return boundary.Invalid("mode %d is none of RealTime, Resumable, LoadBalanced", o.Mode)
	case o.AutoReset > streamer.ResetError:
		return boundary.Invalid("AutoReset %d is none of Latest, Earliest, ResetError", o.AutoReset)
	case o.Ack > streamer.AckOnDelivery:
		return boundary.Invalid("ack policy %d is none of AckOnReturn, AckManual, AckDelayed, AckOnDelivery", o.Ack)
	case o.AckDelay < 0:
		return negative("AckDelay", o.AckDelay, "a duration, or 0 for 5s")
	case o.AckDelay > maxAckDelay:
		return boundary.Invalid("AckDelay is %v: want %v at most", o.AckDelay, maxAckDelay)
	case o.CommitEvery < 0 && o.CommitEvery != streamer.Never:
		return negative("CommitEvery", o.CommitEvery, "an interval, Never, or 0 for 1s")
	case o.MaxInFlight < streamer.NoLimit:
		return negative("MaxInFlight", o.MaxInFlight, "a number, NoLimit, or 0 for 1000")
	case o.Prefetch < 0:
		return negative("Prefetch", o.Prefetch, "1 or more, or 0 for 1000")
	case o.BufferBytes < streamer.NoLimit:
		return negative("BufferBytes", o.BufferBytes, "a number of bytes, NoLimit, or 0 for 64 MiB")
	}
	return nil
}

func CheckProducer(o *streamer.ProducerOptions) error {
	switch {
	case o.Linger < 0:
		return negative("Linger", o.Linger, "a duration, or 0 for none")
	case o.MaxBuffered < streamer.NoLimit:
		return negative("MaxBuffered", o.MaxBuffered, "a number, NoLimit, or 0 for 50000")
	case o.MaxBufferedBytes < streamer.NoLimit:
		return negative("MaxBufferedBytes", o.MaxBufferedBytes, "a number of bytes, NoLimit, or 0 for 64 MiB")
	case o.DeliveryTimeout < 0 && o.DeliveryTimeout != streamer.NoLimit:
		return negative("DeliveryTimeout", o.DeliveryTimeout, "a duration, NoLimit, or 0 for 2m")
	}
	return nil
}

func negative[T int | time.Duration](field string, v T, want string) error {
	return boundary.Invalid("%s is %v: want %s", field, v, want)
}
