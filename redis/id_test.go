package redis

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestIDsAreReadAndWritten(t *testing.T) {
	for text, want := range map[string]id{
		"0-0": {}, "1-2": {1, 2}, "1700000000000-0": {1700000000000, 0},
		"18446744073709551615-18446744073709551615": highest,
	} {
		got, ok := parseID([]byte(text))
		if !ok || got != want || got.String() != text || idOf(got.seqNo()) != want {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, bad := range []string{"", "-", "1", "1-", "-1", "1-2-3", " 1-2", "1-2 ", "+1-2", "1-x", "18446744073709551616-0", "0-99999999999999999999"} {
		if got, ok := parseID([]byte(bad)); ok {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}

func TestNextAndPrevNeverWrap(t *testing.T) {
	for _, x := range []struct{ at, next id }{
		{id{}, id{0, 1}}, {id{5, 7}, id{5, 8}}, {id{5, math.MaxUint64}, id{6, 0}}, {highest.prev(), highest},
	} {
		if got := x.at.next(); got != x.next || !x.at.less(got) {
			t.Errorf("after %v comes %v, want %v", x.at, got, x.next)
		}
		if got := x.next.prev(); got != x.at {
			t.Errorf("before %v comes %v, want %v", x.next, got, x.at)
		}
	}
	if lowest.prev() != lowest || highest.next() != highest {
		t.Error("the ends wrap")
	}
}

// Reading starts after an id: every position becomes one, and what is out of
// range the nearest end.
func TestPositionsResolveToTheNearestEnd(t *testing.T) {
	st := &state{exists: true}
	st.top = id{100, 5}
	for _, x := range []struct {
		p     streamer.Position
		after id
	}{
		{streamer.Beginning(), id{}},
		{streamer.End(), id{100, 5}},
		{streamer.At(streamer.SeqPair(100, 5)), id{100, 4}},
		{streamer.At(streamer.SeqPair(100, 0)), id{99, math.MaxUint64}},
		{streamer.At(streamer.SeqPair(0, 0)), id{}},
		{streamer.After(streamer.SeqPair(100, 4)), id{100, 4}},
		{streamer.After(highest.seqNo()), id{100, 5}},
		{streamer.At(highest.seqNo()), id{100, 5}},
		{streamer.AtTime(time.UnixMilli(50)), id{49, math.MaxUint64}},
		{streamer.AtTime(time.UnixMilli(50).Add(999 * time.Microsecond)), id{49, math.MaxUint64}},
		{streamer.AtTime(time.UnixMilli(-50)), id{}},
		{streamer.AtTime(time.Time{}), id{}},
		{streamer.AtTime(time.UnixMilli(5000)), id{100, 5}},
	} {
		after, err := resolve(x.p, st)
		if err != nil || after != x.after {
			t.Errorf("%v: after %v, %v, want %v", x.p, after, err, x.after)
		}
	}
	if after, err := resolve(streamer.End(), &state{}); err != nil || after != lowest {
		t.Errorf("the end of what does not exist: %v, %v", after, err)
	}
	if _, err := resolve(streamer.At(streamer.SeqUint(3)), st); !errors.Is(err, streamer.ErrInvalid) {
		t.Errorf("a number as a position: %v", err)
	}
}
