package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// meter counts what a command has done. Its methods may be called concurrently.
type meter struct {
	start    time.Time
	messages atomic.Int64
	bytes    atomic.Int64

	// at of end is how far the command is, in units of its own; end is 0 where
	// it is not known.
	at, end atomic.Int64

	doing atomic.Pointer[string]
}

func newMeter() *meter { return &meter{start: time.Now()} }

// add counts one message of size bytes.
func (m *meter) add(size int) {
	m.messages.Add(1)
	m.bytes.Add(int64(size))
}

// do says what the command waits for until the first message is counted.
func (m *meter) do(what string) { m.doing.Store(&what) }

// total is "1,234 messages, 5.6 MB".
func (m *meter) total() string {
	return counted(m.messages.Load(), "message") + ", " + size(m.bytes.Load())
}

// counted is "1 message" or "2 messages".
func counted(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return thousands(n) + " " + noun
}

// pace turns a meter's readings into a rate of the last few seconds.
type pace struct {
	*meter
	ticks [6]reading // a ring; one reading per second
	n     int
}

type reading struct {
	at             time.Time
	messages, done int64
}

// line is the progress line.
func (p *pace) line(now time.Time) string {
	r := reading{now, p.messages.Load(), p.at.Load()}
	oldest := p.ticks[0]
	if p.n >= len(p.ticks) {
		oldest = p.ticks[p.n%len(p.ticks)]
	}
	p.ticks[p.n%len(p.ticks)] = r
	p.n++
	if oldest.at.IsZero() {
		oldest = reading{at: p.start}
	}
	took := now.Sub(oldest.at).Seconds()
	if doing := p.doing.Load(); r.messages == 0 && doing != nil {
		return fmt.Sprintf("%s, %s", *doing, seconds(now.Sub(p.start)))
	}
	if took <= 0 {
		return p.total()
	}
	s := fmt.Sprintf("%s, %s, %s/s", counted(r.messages, "message"), megabytes(p.bytes.Load()), thousands(int64(float64(r.messages-oldest.messages)/took)))
	return s + p.left(float64(r.done-oldest.done)/took, r.done)
}

// left is how long the rest takes at speed units a second, "" where that cannot
// be said.
func (p *pace) left(speed float64, done int64) string {
	end := p.end.Load()
	if end <= 0 || speed <= 0 {
		return ""
	}
	rest := float64(max(0, end-done)) / speed
	return ", " + seconds(time.Duration(rest*float64(time.Second))) + " left"
}

// thousands is n, which is not negative, with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// size is n bytes in a unit that suits it.
func size(n int64) string {
	switch {
	case n < 1e3:
		return counted(n, "byte")
	case n < 1e6:
		return strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64) + " kB"
	}
	return megabytes(n)
}

// megabytes is n in units of 10^6.
func megabytes(n int64) string {
	return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
}

// seconds is d as precise as it is of use: 0.3s, 12s, 2m5s, 3h20m.
func seconds(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}
