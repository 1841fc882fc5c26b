package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
)

// engineCases measure what the engine adds to reading: each way to take
// messages, with several goroutines, and with slabs over several shards.
func engineCases() []benchCase {
	var all []benchCase
	for i := range verbs {
		for _, goroutines := range []int{1, 4, 8} {
			all = append(all, engineCase(&verbs[i], goroutines, 1))
		}
		for _, shards := range []int{50, 500} {
			all = append(all, engineCase(&verbs[i], 1, shards))
		}
	}
	return all
}

func engineCase(v *verb, goroutines, shards int) benchCase {
	return benchCase{
		name:    fmt.Sprintf("consume/%s/goroutines=%d/shards=%d", v.name, goroutines, shards),
		control: "bare Fetch",
		goal:    goal{share: v.share, allocs: allocs(0)},
		setup: func(b *bed) (pair, error) {
			log, err := b.filledLog()
			if err != nil {
				return pair{}, err
			}
			read := reading{b, log, shards}
			return pair{
				subject: func() (trial, error) { return read.throughEngine(v, goroutines) },
				control: read.bare,
			}, nil
		},
	}
}

// reading is trials of reading one log.
type reading struct {
	*bed
	log    string
	shards int
}

func (r *reading) spread() (*spread, error) {
	log, err := openLog(r.log)
	return &spread{Backend: log, shards: r.shards, messages: r.messages, begin: make(chan struct{})}, err
}

func (r *reading) throughEngine(v *verb, goroutines int) (trial, error) {
	log, err := r.spread()
	if err != nil {
		return trial{}, err
	}
	s, err := engine.New(log, streamer.StreamerOptions{})
	if err != nil {
		return trial{}, err
	}
	c, err := s.Consumer(r.ctx, streamer.ConsumerOptions{Streams: []string{streamName}, Mode: streamer.Resumable, Group: "bench"})
	if err != nil {
		return trial{}, errors.Join(err, s.Close())
	}
	return trial{
		run: func() (int, error) {
			close(log.begin)
			return v.takeAll(r.ctx, c, goroutines)
		},
		end: s.Close,
	}, nil
}

// maxBatch is what the engine asks for with the default Prefetch.
const maxBatch = 500

// bare is the client without the engine: a loop that fetches and looks at each
// message.
func (r *reading) bare() (trial, error) {
	log, err := r.spread()
	if err != nil {
		return trial{}, err
	}
	src, err := log.OpenSource(r.ctx, driver.SourceConfig{
		Streams: []string{streamName}, MaxBatch: maxBatch, Assigned: func([]streamer.StreamShard) {},
	})
	if err != nil {
		return trial{}, err
	}
	return trial{
		run: func() (int, error) {
			close(log.begin)
			return fetchAll(r.ctx, src)
		},
		end: func() error { return src.Close(r.ctx) },
	}, nil
}

func fetchAll(ctx context.Context, src driver.Source) (n int, err error) {
	count := func(slab []streamer.Message) {
		for i := range slab {
			if len(slab[i].Value) == payload {
				n++
			}
		}
	}
	for err == nil {
		err = src.Fetch(ctx, count)
	}
	if err == io.EOF {
		return n, nil
	}
	return n, err
}
