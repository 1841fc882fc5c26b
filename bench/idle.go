package main

import (
	"context"
	"errors"
	"runtime"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
	"github.com/gostreamer/streamer/memory"
)

// idleShards is how many the goals speak of.
const idleShards = 10_000

// footprint is what idle shards cost: in bytes for each, in goroutines for all.
type footprint struct {
	mode       streamer.ConsumerMode
	bare       float64 // the source alone
	engine     float64 // with the engine above it
	goroutines int     // with the engine
}

const (
	idleBytes      = 300
	idleGoroutines = 3
)

func (f footprint) missed() bool { return f.engine > idleBytes || f.goroutines > idleGoroutines }

// idle measures consumers of a stream with so many shards, all idle. What the
// log takes for a shard is not counted: it is there without readers.
func idle(ctx context.Context, shards int) (all []footprint, err error) {
	b, err := newBed(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable} {
		f := footprint{mode: mode}
		if f.bare, _, err = b.idling(mode, shards, openBare); err != nil {
			return nil, err
		}
		if f.engine, f.goroutines, err = b.idling(mode, shards, openConsumer); err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// opener opens a reader of the stream in mode and returns how to close it.
type opener func(ctx context.Context, log driver.Backend, mode streamer.ConsumerMode) (end func() error, err error)

// idling compares the heap and the goroutines before and after opening.
func (b *bed) idling(mode streamer.ConsumerMode, shards int, open opener) (bytesEach float64, goroutines int, err error) {
	name := b.unique("idle")
	defer memory.Drop(name)
	log, err := openLog(name)
	if err != nil {
		return 0, 0, err
	}
	if err := log.(streamer.Admin).Create(b.ctx, streamName, shards); err != nil {
		return 0, 0, err
	}
	heap, running := liveHeap(), runtime.NumGoroutine()
	end, err := open(b.ctx, log, mode)
	if err != nil {
		return 0, 0, err
	}
	bytesEach = float64(liveHeap()-heap) / float64(shards)
	goroutines = runtime.NumGoroutine() - running
	return bytesEach, goroutines, end()
}

func openBare(ctx context.Context, log driver.Backend, mode streamer.ConsumerMode) (func() error, error) {
	src, err := log.OpenSource(ctx, driver.SourceConfig{
		Streams: []string{streamName}, Mode: mode, Group: group(mode), MaxBatch: maxBatch,
		Assigned: func([]streamer.StreamShard) {},
		Revoked:  func([]streamer.StreamShard, bool) {},
	})
	if err != nil {
		return nil, err
	}
	return func() error { return src.Close(ctx) }, nil
}

func openConsumer(ctx context.Context, log driver.Backend, mode streamer.ConsumerMode) (func() error, error) {
	s, err := engine.New(log, streamer.StreamerOptions{})
	if err != nil {
		return nil, err
	}
	if _, err := s.Consumer(ctx, streamer.ConsumerOptions{Streams: []string{streamName}, Mode: mode, Group: group(mode)}); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s.Close, nil
}

func group(mode streamer.ConsumerMode) string {
	if mode == streamer.RealTime {
		return ""
	}
	return "bench"
}

func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers released
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// modeName is the mode as URIs write it.
func modeName(m streamer.ConsumerMode) string {
	switch m {
	case streamer.Resumable:
		return "resumable"
	case streamer.LoadBalanced:
		return "load-balanced"
	}
	return "realtime"
}
