package streamer

import "time"

// The built-in defaults, as ConsumerOptions, ProducerOptions and StreamerOptions document them.
const (
	defaultAckDelay        = 5 * time.Second
	defaultCommitEvery     = time.Second
	defaultMaxInFlight     = 1000
	defaultPrefetch        = 1000
	defaultBuffer          = 64 << 20
	defaultMaxBuffered     = 50_000
	defaultDeliveryTimeout = 2 * time.Minute
	defaultCloseTimeout    = 20 * time.Second

	noLimit = 1 << 62 // far from overflow when something is added
)
