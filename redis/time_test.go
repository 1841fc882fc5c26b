package redis_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	goredis "github.com/redis/go-redis/v9"
)

// TestIdsThatAreNoTimes: what others have chosen as ids is read, whatever it
// means, and found again by its number.
func TestIdsThatAreNoTimes(t *testing.T) {
	s := newSea(t)
	if s == nil {
		return
	}
	raw := goredis.NewClient(&goredis.Options{Addr: s.hosts})
	defer raw.Close()
	stream := s.stream()
	want := map[string]time.Time{
		"1700000000000-0":        time.UnixMilli(1700000000000),
		"1700000000000000000-0":  time.UnixMilli(1700000000000000000), // nanoseconds
		"9223372036854775807-0":  time.UnixMilli(math.MaxInt64),
		"9223372036854775808-0":  {},
		"18446744073709551615-7": {},
	}
	for _, id := range []string{"1700000000000-0", "1700000000000000000-0", "9223372036854775807-0", "9223372036854775808-0", "18446744073709551615-7"} {
		s.Must("XADD", raw.XAdd(s.Ctx, &goredis.XAddArgs{Stream: stream, ID: id, Values: []string{"msg", id}}).Err())
	}
	c, err := s.open(stream).Consumer(s.Ctx, streamer.ConsumerOptions{AutoReset: streamer.Earliest})
	s.Must("Consumer", err)
	for _, to := range []time.Time{time.UnixMilli(0), time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-300_000_000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		s.Must("Seek", c.Seek(s.Ctx, to))
		for range want {
			m, err := c.Next(s.Ctx)
			s.Must("Next", err)
			if !m.Time.Equal(want[string(m.Value)]) {
				t.Errorf("%s has the time %v, want %v", m.Value, m.Time, want[string(m.Value)])
			}
		}
	}
	s.Must("Seek", c.Seek(s.Ctx, time.UnixMilli(1700000000001)))
	if m, err := c.Next(s.Ctx); err != nil || string(m.Value) != "1700000000000000000-0" {
		t.Errorf("%v, %v", m, err)
	}
}

// TestATimeThatIsNoIdIsRefused with time=id, on its own receipt.
func TestATimeThatIsNoIdIsRefused(t *testing.T) {
	s := newSea(t)
	if s == nil {
		return
	}
	stream := s.stream()
	p, err := s.open(stream, "time=id").Producer(s.Ctx, streamer.ProducerOptions{Stream: stream})
	s.Must("Producer", err)
	for i, c := range []struct {
		at time.Time
		ok bool
	}{
		{time.UnixMilli(-1), false},
		{time.Unix(0, -1), false},
		{time.UnixMilli(1), true},
		{time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{time.Date(300_000_000, 1, 1, 0, 0, 0, 0, time.UTC), false},
	} {
		m, err := p.Send(s.Ctx, streamer.Record{Value: fmt.Append(nil, i), Time: c.at}).Wait(s.Ctx)
		if c.ok && (err != nil || !m.Time.Equal(c.at)) || !c.ok && !errors.Is(err, streamer.ErrUnsupported) {
			t.Errorf("%v: %v, %v", c.at, m.Time, err)
		}
	}
}
