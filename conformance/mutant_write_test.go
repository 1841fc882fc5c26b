package conformance_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
)

// writer is a producer that is broken in one call.
type writer struct {
	streamer.Producer
	send  func(ctx context.Context, r streamer.Record) *streamer.Receipt
	flush func(ctx context.Context) error
	close func() error
}

func (w *writer) Send(ctx context.Context, r streamer.Record) *streamer.Receipt {
	return w.send(ctx, r)
}
func (w *writer) Flush(ctx context.Context) error { return w.flush(ctx) }
func (w *writer) Close() error                    { return w.close() }

// writing makes a program whose producers are broken by change.
func writing(change func(w *writer, o streamer.ProducerOptions)) program {
	return program{producer: func(p streamer.Producer, o streamer.ProducerOptions) streamer.Producer {
		w := &writer{p, p.Send, p.Flush, p.Close}
		change(w, o)
		return w
	}}
}

// recording makes a program whose records are changed before they are sent.
func recording(change func(r *streamer.Record)) program {
	return writing(func(w *writer, _ streamer.ProducerOptions) {
		send := w.send
		w.send = func(ctx context.Context, r streamer.Record) *streamer.Receipt {
			change(&r)
			return send(ctx, r)
		}
	})
}

// keysScatter sends the records of a key to any shard.
func keysScatter(w *world) program {
	return recording(func(r *streamer.Record) {
		if r.Key != nil && r.Shard == nil {
			any := streamer.ShardID(rand.IntN(w.plan.Shards))
			r.Shard = &any
		}
	})
}

// overtaking holds every fifth record of a key back until the next one of that
// key is sent, or a moment has passed.
func overtaking(*world) program {
	return writing(func(w *writer, _ streamer.ProducerOptions) {
		send := w.send
		var mu sync.Mutex
		sent, held := make(map[string]int), make(map[string]func())
		release := func(key string) {
			mu.Lock()
			late := held[key]
			delete(held, key)
			mu.Unlock()
			if late != nil {
				late()
			}
		}
		w.send = func(ctx context.Context, r streamer.Record) *streamer.Receipt {
			key := string(r.Key)
			mu.Lock()
			if sent[key]++; r.Key == nil || sent[key]%5 != 0 {
				mu.Unlock()
				defer release(key)
				return send(ctx, r)
			}
			receipt, resolve := streamer.NewReceipt()
			late := context.WithoutCancel(ctx)
			held[key] = func() { send(late, r).OnDone(resolve) }
			mu.Unlock()
			time.AfterFunc(20*time.Millisecond, func() { release(key) })
			return receipt
		}
	})
}

func headersReversed(*world) program {
	return recording(func(r *streamer.Record) {
		r.Headers = slices.Clone(r.Headers)
		slices.Reverse(r.Headers)
	})
}

func nilIsEmpty(*world) program {
	return recording(func(r *streamer.Record) {
		if r.Value == nil {
			r.Value = []byte{}
		}
	})
}

// receiptStream says of every record that it went to the producer's own stream.
func receiptStream(*world) program {
	return writing(func(w *writer, o streamer.ProducerOptions) {
		send := w.send
		w.send = func(ctx context.Context, r streamer.Record) *streamer.Receipt {
			if r.Stream == "" || r.Stream == o.Stream {
				return send(ctx, r)
			}
			receipt, resolve := streamer.NewReceipt()
			send(ctx, r).OnDone(func(m streamer.Meta, err error) {
				m.Stream = o.Stream
				resolve(m, err)
			})
			return receipt
		}
	})
}

func flushSilent(*world) program {
	return writing(func(w *writer, _ streamer.ProducerOptions) {
		flush := w.flush
		w.flush = func(ctx context.Context) error { _ = flush(ctx); return ctx.Err() }
	})
}

func closeSilent(*world) program {
	return writing(func(w *writer, _ streamer.ProducerOptions) {
		close := w.close
		w.close = func() error { _ = close(); return nil }
	})
}
