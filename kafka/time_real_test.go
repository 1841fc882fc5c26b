package kafka_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestARecordWithoutATimeHasNone, and is found by a seek before all
// times.
func TestARecordWithoutATimeHasNone(t *testing.T) {
	r := onReal(t, 1, map[string]string{"message.timestamp.before.max.ms": "9223372036854775807"})
	if r == nil {
		return
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	times := []time.Time{time.UnixMilli(-1), now, time.UnixMilli(-5000), now}
	for i, at := range times {
		rec := &kgo.Record{Topic: r.topic, Partition: 0, Value: fmt.Append(nil, i), Timestamp: at}
		r.must(r.raw.ProduceSync(r.ctx(), rec).FirstErr())
	}
	times[0] = time.Time{}
	c := r.consumer(r.connect(kafka.Config{}, streamer.StreamerOptions{}), streamer.ConsumerOptions{AutoReset: streamer.Earliest})
	for _, to := range []streamer.Position{streamer.Beginning(), streamer.AtTime(time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)), streamer.AtTime(time.UnixMilli(-1))} {
		r.must(c.Rewind(r.ctx(), to))
		for i, m := range r.expect(c, 0, len(times)) {
			if !m.Time.Equal(times[i]) {
				t.Errorf("record %d has the time %v, want %v", i, m.Time, times[i])
			}
		}
	}
	r.must(c.Seek(r.ctx(), now))
	r.expect(c, 1, len(times))
}

// TestATimeThatKafkaCannotHoldIsRefused on its own receipt, also where the
// topic takes any; its neighbours are stored.
func TestATimeThatKafkaCannotHoldIsRefused(t *testing.T) {
	r := onReal(t, 1, map[string]string{"message.timestamp.before.max.ms": "9223372036854775807", "message.timestamp.after.max.ms": "9223372036854775807"})
	if r == nil {
		return
	}
	s := r.connect(kafka.Config{}, streamer.StreamerOptions{})
	p := r.producer(s)
	stored := map[string]time.Time{}
	for i, at := range []time.Time{
		time.Now(), time.Date(1677, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(53872825, 1, 1, 0, 0, 0, 0, time.UTC), time.UnixMilli(-1), time.UnixMilli(-2),
	} {
		m, err := p.Send(r.ctx(), streamer.Record{Value: fmt.Append(nil, i), Time: at}).Wait(r.ctx())
		if errors.Is(err, streamer.ErrUnsupported) {
			continue
		}
		r.must(err)
		if stored[fmt.Sprint(i)] = at.Truncate(time.Millisecond); !m.Time.Equal(stored[fmt.Sprint(i)]) {
			t.Errorf("the receipt says %v, want %v", m.Time, at)
		}
	}
	if len(stored) != 4 {
		t.Errorf("%d are stored, want 4: %v", len(stored), stored)
	}
	c := r.consumer(s, streamer.ConsumerOptions{AutoReset: streamer.Earliest})
	for range len(stored) {
		m, err := c.Next(r.ctx())
		r.must(err)
		if want := stored[string(m.Value)]; !m.Time.Equal(want) {
			t.Errorf("record %s has the time %v, want %v", m.Value, m.Time, want)
		}
	}
}
