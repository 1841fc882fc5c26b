package driver

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestParseSize(t *testing.T) {
	good := map[string]int64{
		"0": 0, "1": 1, "007": 7, "1048576": 1 << 20, "1KiB": 1 << 10, "64MiB": 64 << 20, "16GiB": 16 << 30, "0GiB": 0,
		"9223372036854775807": math.MaxInt64, "8589934591GiB": 8589934591 << 30, "9007199254740991KiB": 9007199254740991 << 10,
	}
	for in, want := range good {
		if got, err := ParseSize(in); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "KiB", " 1", "1 ", "1 KiB", "-1", "+1", "1.5GiB", "1KB", "1K", "1kib", "1TiB", "1B", "0x10", "1_000", "1KiBKiB", "1MiBKiB", "١",
		"9223372036854775808", "8589934592GiB", "9007199254740992KiB", "99999999999999999999",
	} {
		if got, err := ParseSize(in); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%q: got %d, %v, want ErrInvalid", in, got, err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{"0": 0, "0s": 0, "200ms": 200 * time.Millisecond, "1h2m3s": 3723 * time.Second, "1.5s": 1500 * time.Millisecond} {
		if got, err := ParseDuration(in); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "5", "-1s", "1d", "s", "1 s", "99999999999h"} {
		if got, err := ParseDuration(in); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%q: got %v, %v, want ErrInvalid", in, got, err)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"0", "1KiB", "64MiB", "8589934592GiB", "-1", "1.5GiB", "KiB", "9223372036854775808"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseSize(s)
		if err != nil && (!errors.Is(err, streamer.ErrInvalid) || n != 0) || n < 0 {
			t.Errorf("%q: got %d, %v", s, n, err)
		}
	})
}
