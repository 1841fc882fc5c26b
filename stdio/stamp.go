package stdio

import (
	"time"
)

// parseStamp reads YYYY-MM-DDTHH:MM:SS[.digits] in UTC; digits beyond the
// nanosecond are cut. It does by hand what time.Parse does, because a stamp
// stands on every line.
func parseStamp(b []byte) (time.Time, bool) {
	const seconds = len("2006-01-02T15:04:05")
	if len(b) < seconds || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return time.Time{}, false
	}
	year, month, day := digits(b[:4]), digits(b[5:7]), digits(b[8:10])
	hour, minute, second := digits(b[11:13]), digits(b[14:16]), digits(b[17:19])
	if year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return time.Time{}, false
	}
	if uint(hour) > 23 || uint(minute) > 59 || uint(second) > 59 {
		return time.Time{}, false
	}
	ns := fraction(b[seconds:])
	if ns < 0 {
		return time.Time{}, false
	}
	unix := dayNumber(year, month, day)*86400 + int64(hour*3600+minute*60+second)
	return time.Unix(unix, ns).UTC(), true
}

// digits is the number that b spells; -1 when there is anything else in b.
func digits(b []byte) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return -1
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// fraction is the part of a second that b spells, in nanoseconds: nothing, or a
// dot and at least one digit. Otherwise it is -1.
func fraction(b []byte) int64 {
	if len(b) == 0 {
		return 0
	}
	if len(b) == 1 || b[0] != '.' {
		return -1
	}
	n, last := int64(0), 0
	for i, c := range b[1:] {
		if c < '0' || c > '9' {
			return -1
		}
		if i < len(nanos) {
			n, last = 10*n+int64(c-'0'), i
		}
	}
	return n * nanos[last]
}

// nanos are the nanoseconds in one of the first digit of a fraction, of the
// second, and so on.
var nanos = [...]int64{1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// dayNumber counts the days from 1970-01-01. The year begins in March, so that
// the leap day ends it; a cycle of 400 years has 146097 days.
func dayNumber(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	y := year + 400 // year 0 in January belongs to year -1: one cycle more keeps the divisions positive
	n := 365*y + y/4 - y/100 + y/400 + (153*(month-3)+2)/5 + day - 1
	return int64(n - 146097 - 719468)
}

// appendStamp appends t as parseStamp reads it, with the digits of its fraction
// that are needed. t is in UTC, its year within hasStamp.
func appendStamp(dst []byte, t time.Time) []byte {
	dst = t.AppendFormat(dst, time.RFC3339Nano) // the one layout with a fast path, and ours except the zone
	return dst[:len(dst)-len("Z")]
}

// hasStamp says that appendStamp can print t, which is in UTC.
func hasStamp(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }
