package driver

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/words"
)

// ParseSize parses a number of bytes, "1048576", or of KiB, MiB or GiB,
// "64MiB". ErrInvalid for fractions, signs, other units and sizes beyond 64
// bits.
func ParseSize(s string) (int64, error) {
	digits, shift := s, 0
	for i, unit := range [...]string{"KiB", "MiB", "GiB"} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			digits, shift = number, 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%w size: want bytes or whole KiB, MiB or GiB, such as 64MiB", streamer.ErrInvalid)
	}
	if n > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%w size: more than 64 bits hold", streamer.ErrInvalid)
	}
	return int64(n << shift), nil //nolint:gosec // checked above
}

// ParseDuration parses a duration of at least zero in Go's syntax, "1m30s".
// ErrInvalid for a negative one.
func ParseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%w duration: want a number with a unit, such as 200ms, 5s or 2m", streamer.ErrInvalid)
	}
	return d, nil
}

// AtOnce is the value in Go's fields, where 0 is "not set", of a duration of 0
// in a URI.
const AtOnce time.Duration = 1

func parseText(s string) (string, error) { return s, nil }

// parseName refuses the empty text: without a name the group would silently not
// be one.
func parseName(s string) (string, error) {
	if s == "" {
		return "", fmt.Errorf("%w name: it is empty", streamer.ErrInvalid)
	}
	return s, nil
}

func parseSpan(s string) (time.Duration, error) {
	d, err := ParseDuration(s)
	return max(d, AtOnce), err
}

// parseTimeout is a duration; 0 means no limit.
func parseTimeout(s string) (time.Duration, error) {
	d, err := ParseDuration(s)
	return zeroIsNoLimit(d), err
}

// zeroIsNoLimit turns the 0 of a URI, which means no limit, into NoLimit: in
// Go's fields 0 is "not set".
func zeroIsNoLimit[T int | time.Duration](v T) T {
	if v == 0 {
		return streamer.NoLimit
	}
	return v
}

func parseCommit(s string) (time.Duration, error) {
	if s == "never" {
		return streamer.Never, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%w interval: want never or more than 0, such as 1s", streamer.ErrInvalid)
	}
	return d, nil
}

func parseCount(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, strconv.IntSize-1)
	if err != nil {
		return 0, fmt.Errorf("%w number: want 0 or more", streamer.ErrInvalid)
	}
	return int(n), nil
}

// parseAhead is a count of at least 1.
func parseAhead(s string) (int, error) {
	n, err := parseCount(s)
	return max(n, 1), err
}

func parseLimit(s string) (int, error) {
	n, err := parseCount(s)
	return zeroIsNoLimit(n), err
}

func parseBytes(s string) (int, error) {
	n, err := ParseSize(s)
	if err == nil && n > math.MaxInt {
		err = fmt.Errorf("%w size: more than this machine's memory can be", streamer.ErrInvalid)
	}
	if err != nil {
		return 0, err
	}
	return zeroIsNoLimit(int(n)), nil
}

// parseStart counts a relative time from now, when the URI is parsed.
func parseStart(s string) (streamer.Position, error) {
	switch s {
	case "beginning":
		return streamer.Beginning(), nil
	case "end":
		return streamer.End(), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return streamer.AtTime(t), nil
	}
	if ago, err := time.ParseDuration(s); err == nil && ago < 0 {
		return streamer.AtTime(time.Now().Add(ago)), nil
	}
	return streamer.Position{}, fmt.Errorf("%w start: want beginning, end, a time such as 2026-01-02T15:04:05Z, or a time ago such as -1h", streamer.ErrInvalid)
}

func parseShards(s string) ([]streamer.ShardID, error) {
	var shards []streamer.ShardID
	for number := range strings.SplitSeq(s, ",") {
		id, err := streamer.ParseShardID(number)
		if err != nil {
			return nil, fmt.Errorf("%w list: want the numbers of shards, such as 0,3", streamer.ErrInvalid)
		}
		if !slices.Contains(shards, id) {
			shards = append(shards, id)
		}
	}
	return shards, nil
}

func parseMode(s string) (streamer.ConsumerMode, error) {
	return words.Parse(s, streamer.ErrInvalid, streamer.RealTime, "realtime", "resumable", "load-balanced")
}

func parseReset(s string) (streamer.AutoReset, error) {
	return words.Parse(s, streamer.ErrInvalid, streamer.Latest, "latest", "earliest", "error")
}

func parseAck(s string) (streamer.AckPolicy, error) {
	return words.Parse(s, streamer.ErrInvalid, streamer.AckOnReturn, "on-return", "manual", "delayed", "on-delivery")
}
