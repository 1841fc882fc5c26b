package main

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// sample is what some messages cost the process.
type sample struct {
	messages       int
	elapsed, cpu   time.Duration
	mallocs, bytes uint64
}

// measure runs trials of t until they took budget together; at least one.
func (b *bed) measure(t task, budget time.Duration) (sum sample, err error) {
	for sum.messages == 0 || sum.elapsed < budget {
		s, err := b.measureOnce(t)
		if err != nil {
			return sample{}, err
		}
		sum.messages += s.messages
		sum.elapsed += s.elapsed
		sum.cpu += s.cpu
		sum.mallocs += s.mallocs
		sum.bytes += s.bytes
	}
	return sum, nil
}

func (b *bed) measureOnce(t task) (sample, error) {
	tr, err := t()
	if err != nil {
		return sample{}, err
	}
	runtime.GC() // each trial pays for its own garbage
	before := readMeter()
	n, err := tr.run()
	after := readMeter()
	if tr.end != nil {
		err = errors.Join(err, tr.end())
	}
	if want := cmp.Or(tr.messages, b.messages); err == nil && n != want {
		err = fmt.Errorf("%d messages were processed, not %d", n, want)
	}
	return sample{
		messages: n,
		elapsed:  after.now.Sub(before.now),
		cpu:      after.cpu - before.cpu,
		mallocs:  after.mallocs - before.mallocs,
		bytes:    after.bytes - before.bytes,
	}, err
}

// meter is what the process has used so far.
type meter struct {
	now            time.Time
	cpu            time.Duration
	mallocs, bytes uint64
}

func readMeter() meter {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return meter{now: time.Now(), cpu: cpuTime(), mallocs: m.Mallocs, bytes: m.TotalAlloc}
}

// cost is a sample per message.
type cost struct {
	ns, cpu        float64 // nanoseconds, on the clock and of all processors
	allocs, bytes_ float64
}

func (s sample) perMessage() cost {
	n := float64(s.messages)
	return cost{float64(s.elapsed) / n, float64(s.cpu) / n, float64(s.mallocs) / n, float64(s.bytes) / n}
}

// median takes the median of each column by itself.
func median(all []cost) cost {
	column := func(f func(cost) float64) float64 {
		values := make([]float64, len(all))
		for i, c := range all {
			values[i] = f(c)
		}
		return middle(values)
	}
	return cost{
		ns:     column(func(c cost) float64 { return c.ns }),
		cpu:    column(func(c cost) float64 { return c.cpu }),
		allocs: column(func(c cost) float64 { return c.allocs }),
		bytes_: column(func(c cost) float64 { return c.bytes_ }),
	}
}

// middle sorts values.
func middle(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
