package kafka

import (
	"math"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestTimesAreThoseThatTheBrokerHas, though the client wraps them.
func TestTimesAreThoseThatTheBrokerHas(t *testing.T) {
	for ms, want := range map[int64]time.Time{
		0:                         time.UnixMilli(0),
		noTime:                    {},
		-2:                        time.UnixMilli(-2),
		1700000000000:             time.UnixMilli(1700000000000),
		1700000000000000:          time.UnixMilli(1700000000000000), // microseconds
		math.MaxInt64 / 1_000_000: time.UnixMilli(math.MaxInt64 / 1_000_000),
		9300000000000:             time.UnixMilli(9300000000000), // the year 2264
		-9300000000000:            time.UnixMilli(-9300000000000),
		1700000000000000000:       {},                // nanoseconds
		math.MinInt64:             time.UnixMilli(0), // 2^63 is a multiple of what the client drops
	} {
		r := &kgo.Record{Timestamp: time.Unix(0, ms*1e6)} // as the client does
		if got := timeOf(r); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%d: %v, want %v", ms, got, want)
		}
	}
}

// TestATimeThatTheClientWouldChangeIsRefused.
func TestATimeThatTheClientWouldChangeIsRefused(t *testing.T) {
	for at, ok := range map[time.Time]bool{
		time.Now():                true,
		time.UnixMilli(0):         true,
		time.UnixMilli(-1).Add(1): false, // it is cut to -1
		time.UnixMilli(-2):        true,
		time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC):     true,
		time.Date(1677, 1, 1, 0, 0, 0, 0, time.UTC):     false,
		time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC):     true,
		time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC):     false,
		time.Date(53872825, 1, 1, 0, 0, 0, 0, time.UTC): false,
		time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC):        false,
	} {
		if storable(at) != ok {
			t.Errorf("%v: storable is %v", at, !ok)
		}
		cut := at.Truncate(time.Millisecond)
		if back := timeOf(&kgo.Record{Timestamp: time.Unix(0, cut.UnixNano()/1e6*1e6)}); ok && !back.Equal(cut) {
			t.Errorf("%v comes back as %v", at, back)
		}
	}
}
