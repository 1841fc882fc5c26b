package kafka

import (
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The broker keeps milliseconds since 1970, of which -1 says that there is no
// time. The client converts them to and from nanoseconds in 64 bits, which wrap
// outside the years 1678 to 2262.

const noTime = -1 // milliseconds

var (
	earliest = time.Unix(0, math.MinInt64).Add(time.Millisecond)
	latest   = time.Unix(0, math.MaxInt64)
)

// storable says whether the client stores t as what it is.
func storable(t time.Time) bool {
	return !t.Before(earliest) && !t.After(latest) && t.Truncate(time.Millisecond).UnixMilli() != noTime
}

// mostMillis bounds what timeOf takes for a time. Other numbers cannot be
// distinguished from those that wrap to them.
const mostMillis = 1 << 53

// timeOf is the time of a record, the zero time when it has none or one that
// cannot be distinguished. Multiplied by a million and wrapped, a number of
// milliseconds lacks its upper six bits: 1e6 is 64 times an odd number, which
// has an inverse.
func timeOf(r *kgo.Record) time.Time {
	const inverse = 0x790fb65668c26139
	ms := int64(uint64(r.Timestamp.UnixNano())>>6*inverse<<6) >> 6 //nolint:gosec // wraps on purpose
	if r.Attrs.TimestampType() < 0 || ms == noTime || ms < -mostMillis || ms > mostMillis {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
