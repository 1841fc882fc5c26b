package main

import (
	"testing"
	"time"
)

func TestProgressLineSaysMessagesMegabytesRateAndTimeLeft(t *testing.T) {
	m := newMeter()
	m.do("waiting for memory://x/y")
	p := pace{meter: m}
	at := func(s int) time.Time { return m.start.Add(time.Duration(s) * time.Second) }
	add := func(n int64) {
		m.messages.Add(n)
		m.bytes.Add(n * 1000)
		m.at.Add(n)
	}
	want := func(now int, want string) {
		t.Helper()
		if got := p.line(at(now)); got != want {
			t.Errorf("after %d s: %q, want %q", now, got, want)
		}
	}
	want(1, "waiting for memory://x/y, 1.0s")
	add(1)
	want(2, "1 message, 0.0 MB, 1/s")
	add(2999)
	m.end.Store(9000)
	want(3, "3,000 messages, 3.0 MB, 1,500/s, 4.0s left")
	want(4, "3,000 messages, 3.0 MB, 1,000/s, 6.0s left")
	for s := 5; s <= 20; s++ {
		p.line(at(s))
	}
	want(21, "3,000 messages, 3.0 MB, 0/s")
	add(6000)
	want(22, "9,000 messages, 9.0 MB, 1,000/s, 0.0s left")
}

func TestNumbersAreReadable(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 999999: "999,999", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1500: "1.5 kB", 2_340_000: "2.3 MB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		300 * time.Millisecond: "0.3s", 12345 * time.Millisecond: "12s", 125 * time.Second: "2m5s", 200 * time.Minute: "3h20m",
	} {
		if got := seconds(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
