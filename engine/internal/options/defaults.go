package options

import (
	"math"
	"time"
)

// The built-in defaults, as ConsumerOptions, ProducerOptions and
// StreamerOptions document them.
const (
	defaultAckDelay        = 5 * time.Second
	defaultCommitEvery     = time.Second
	defaultMaxInFlight     = 1000
	defaultPrefetch        = 1000
	defaultBuffer          = 64 << 20
	defaultMaxBuffered     = 50_000
	defaultDeliveryTimeout = 2 * time.Minute
	DefaultCloseTimeout    = 20 * time.Second

	NoLimit = math.MaxInt / 4 // far from overflow when something is added
	Forever = time.Duration(math.MaxInt64 / 4)
)
