package main

import (
	"context"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/memory"
)

const streamName = "events"

// writeBatch is how many records one bare Write has: as many as the engine's
// batches have when it is busy.
const writeBatch = 500

func openLog(name string) (driver.Backend, error) {
	return memory.NewBackend(memory.Config{Log: name})
}

// openSink opens a sink that takes batches.
func openSink(ctx context.Context, b driver.Backend) (driver.Writer, error) {
	sink, err := b.OpenSink(ctx, driver.SinkConfig{Stream: streamName})
	if err != nil {
		return nil, err
	}
	return sink.(driver.Writer), nil
}

// pendings are n records as the engine gives them to a sink.
func pendings(n int) []*driver.Pending {
	value := make([]byte, payload)
	slab := make([]driver.Pending, n)
	all := make([]*driver.Pending, n)
	for i := range slab {
		slab[i].Record = streamer.Record{Stream: streamName, Value: value}
		all[i] = &slab[i]
	}
	return all
}

// writeAll writes in batches.
func writeAll(ctx context.Context, w driver.Writer, all []*driver.Pending, batch int) (n int, err error) {
	for n < len(all) {
		end := min(n+batch, len(all))
		if err := w.Write(ctx, all[n:end]); err != nil {
			return n, err
		}
		n = end
	}
	return n, nil
}

// filledLog is the name of a log with b.messages messages in one shard.
func (b *bed) filledLog() (name string, err error) {
	name = b.unique("filled")
	b.atEnd(func() error { memory.Drop(name); return nil })
	log, err := openLog(name)
	if err != nil {
		return "", err
	}
	w, err := openSink(b.ctx, log)
	if err != nil {
		return "", err
	}
	_, err = writeAll(b.ctx, w, pendings(b.messages), writeBatch)
	return name, err
}
