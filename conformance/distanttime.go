package conformance

import (
	"errors"
	"time"

	"github.com/gostreamer/streamer"
)

// distantTimes are times that some representation of time does not hold: what
// counts nanoseconds, milliseconds or years, from 1970 or before it, up to some
// number. That of the last but one is a number of nanoseconds, taken for
// milliseconds, and the last is beyond all of these.
func distantTimes() []time.Time {
	return []time.Time{
		time.Date(-300_000_000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC),
		time.Date(1677, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.UnixMilli(-2), time.UnixMilli(-1), time.UnixMilli(0),
		time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.UnixMilli(1_700_000_000_000_000_000), time.Date(300_000_000, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// distantTime: a time that the backend does not hold is refused, and any other
// comes back.
func distantTime(b *bed) {
	b.open(Plan{})
	c := b.consumer(b.realtime())
	p := b.producer()
	for i, t := range distantTimes() {
		metas, err := b.trySend(p, streamer.Record{Value: value(i), Time: t})
		if errors.Is(err, streamer.ErrUnsupported) {
			continue
		}
		if err != nil {
			b.Errorf("a record of %v: %v, want it stored or ErrUnsupported", t, err)
			continue
		}
		want := t.UTC().Truncate(b.Precision)
		if !metas[0].Time.Equal(want) {
			b.Errorf("the receipt of a record of %v says %v, want %v", t, metas[0].Time, want)
		}
		if m := b.next(c, t.String()); !m.Time.Equal(want) || string(m.Value) != string(value(i)) {
			b.Errorf("%s of %v came back as %s of %v, want %v", value(i), t, m.Value, m.Time, want)
		}
	}
}
