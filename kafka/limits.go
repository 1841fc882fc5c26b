package kafka

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
)

const (
	// defaultBatchBytes is what a broker takes that was not told otherwise, and
	// what is assumed where asking is denied.
	defaultBatchBytes = 1_000_012
	// mostBatchBytes leaves room for a request around the largest batch that
	// the client writes.
	mostBatchBytes = 100<<20 - 1<<10
	// framing is what a batch of one record without headers adds to its key and
	// value, at most; headerFraming what each header adds.
	framing       = 128
	headerFraming = 10
	// futureWindow is message.timestamp.after.max.ms where asking is denied.
	futureWindow = time.Hour
)

// limits are what a topic takes.
type limits struct {
	batch         int           // bytes
	ahead, behind time.Duration // how far a record's time may be off; 0: any
	compacted     bool          // records need a key
	brokerTime    bool          // the broker sets the time
}

func unknownLimits() limits { return limits{batch: defaultBatchBytes, ahead: futureWindow} }

// limits asks for a topic's settings. Who may not ask gets Kafka's defaults:
// what is beyond them fails then when it is sent.
func (b *backend) limits(ctx context.Context, stream string) limits {
	l := unknownLimits()
	all, err := b.adm.DescribeTopicConfigs(ctx, stream)
	if err != nil || len(all) != 1 || all[0].Err != nil {
		return l
	}
	for _, c := range all[0].Configs {
		if c.Value == nil {
			continue
		}
		switch v := *c.Value; c.Key {
		case "max.message.bytes":
			if n, err := strconv.Atoi(v); err == nil && n >= 512 {
				l.batch = min(n, mostBatchBytes)
			}
		case "message.timestamp.after.max.ms":
			l.ahead = window(v)
		case "message.timestamp.before.max.ms":
			l.behind = window(v)
		case "message.timestamp.type":
			l.brokerTime = v == "LogAppendTime"
		case "cleanup.policy":
			l.compacted = strings.Contains(v, "compact")
		}
	}
	return l
}

// window reads a number of milliseconds; what no duration holds is no limit.
func window(v string) time.Duration {
	ms, err := strconv.ParseInt(v, 10, 64)
	if err != nil || ms <= 0 || ms > int64(maxWindow/time.Millisecond) {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

const maxWindow = 200 * 365 * 24 * time.Hour

// recordBytes is the most that key, value and headers of one record may have
// together.
func (l *limits) recordBytes() int { return l.batch - framing }

// check refuses a record that the broker would refuse with all its neighbours.
func (l *limits) check(r *streamer.Record) error {
	size := framing + len(r.Key) + len(r.Value) + headerFraming*len(r.Headers)
	for i := range r.Headers {
		size += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	if size > l.batch {
		return &streamer.Error{Kind: streamer.ErrTooLarge, Err: fmt.Errorf("the record takes up to %d bytes, the topic's max.message.bytes is %d", size, l.batch)}
	}
	if l.compacted && r.Key == nil {
		return &streamer.Error{Kind: streamer.ErrInvalid, Err: fmt.Errorf("the topic is compacted, so a record needs a key")}
	}
	if r.Time.IsZero() || l.brokerTime {
		return nil
	}
	if !storable(r.Time) {
		return &streamer.Error{Kind: streamer.ErrUnsupported, Err: fmt.Errorf("a Time of %v: the client counts nanoseconds from 1970 in 64 bits, which is from 1678 to 2262, "+
			"and the last millisecond before 1970 stands for no time", r.Time)}
	}
	return l.checkTime(time.Until(r.Time))
}

// checkTime refuses a time that lies too far from now.
func (l *limits) checkTime(ahead time.Duration) error {
	switch {
	case l.ahead > 0 && ahead > l.ahead:
		return &streamer.Error{Kind: streamer.ErrUnsupported, Err: fmt.Errorf("the record's time is %v ahead, the topic takes %v", ahead.Round(time.Second), l.ahead)}
	case l.behind > 0 && -ahead > l.behind:
		return &streamer.Error{Kind: streamer.ErrUnsupported, Err: fmt.Errorf("the record's time is %v ago, the topic takes %v", -ahead.Round(time.Second), l.behind)}
	}
	return nil
}
