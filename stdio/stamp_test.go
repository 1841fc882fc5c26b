package stdio

import (
	"testing"
	"time"
)

func TestStampsOfEveryDay(t *testing.T) {
	day := time.Date(0, 1, 1, 23, 59, 58, 123456789, time.UTC)
	for ; day.Year() < 10000; day = day.AddDate(0, 0, 1+day.Year()/401*29) { // a whole cycle of leap years, then about every month
		stamp := appendStamp(nil, day)
		if got, ok := parseStamp(stamp); !ok || got != day {
			t.Fatalf("%s: %v, %v", stamp, got, ok)
		}
	}
	if hasStamp(day) || hasStamp(time.Date(-1, 12, 31, 0, 0, 0, 0, time.UTC)) {
		t.Error("a year that four digits cannot say has a stamp")
	}
}

func TestStampFraction(t *testing.T) {
	for fraction, want := range map[string]int{
		"":                  0,
		".0":                0,
		".5":                500000000,
		".000000001":        1,
		".123":              123000000,
		".123456789":        123456789,
		".12345678999":      123456789, // cut, not rounded
		".0000000000000001": 0,
	} {
		got, ok := parseStamp([]byte("2022-01-02T03:04:05" + fraction))
		if want := time.Date(2022, 1, 2, 3, 4, 5, want, time.UTC); !ok || got != want {
			t.Errorf("%q: %v, %v", fraction, got, ok)
		}
	}
	for ns, want := range map[int]string{0: "", 500000000: ".5", 120: ".00000012", 999999999: ".999999999"} {
		if got := string(appendStamp(nil, time.Date(2022, 1, 2, 3, 4, 5, ns, time.UTC))); got != "2022-01-02T03:04:05"+want {
			t.Errorf("%d ns: %s", ns, got)
		}
	}
}

func TestNoStamp(t *testing.T) {
	for _, s := range []string{
		"", "2022-01-01", "2022-01-01T", "2022-01-01T00:00", "2022-01-01T00:00:00.", "2022-01-01T00:00:00.1a", "2022-01-01T00:00:00,5",
		"2022-01-01T00:00:00Z", "2022-01-01T00:00:00+00:00", "2022-01-01 00:00:00", "2022-1-01T00:00:00", "2022-00-01T00:00:00",
		"2022-13-01T00:00:00", "2022-01-00T00:00:00", "2022-01-32T00:00:00", "2022-02-29T00:00:00", "1900-02-29T00:00:00",
		"2022-01-01T24:00:00", "2022-01-01T00:60:00", "2022-01-01T00:00:60", "-022-01-01T00:00:00", "2022-01-01T+1:00:00", "2022-01-01T00:00:0x",
		"2022/01/01T00:00:00", "20220101T000000",
	} {
		if got, ok := parseStamp([]byte(s)); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
}
