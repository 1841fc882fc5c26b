package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file"
)

const (
	rewindGoal  = 3 << 20 // bytes read
	replayGoal  = 64 << 20
	interleaved = 200 // streams of the large log
	slowFor     = 3 * time.Second
)

// largeOverhead is what a frame of the large log has beside its value: the
// streams' names have six bytes.
const largeOverhead = 32 + 6

// largeBegin is the time of the large log's first message; each comes a
// millisecond after the one before.
var largeBegin = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

func largeStream(i int) string { return fmt.Sprintf("str%03d", i%interleaved) }

// onLargeLog writes the log, replays it and goes back in it.
func (b *bed) onLargeLog(size int64) ([]measure, error) {
	path := filepath.Join(b.dir, "large.ss")
	if err := b.writeLarge(path); err != nil {
		return nil, err
	}
	all := []measure{}
	for _, how := range []struct {
		name string
		pace time.Duration
	}{{"fast", 0}, {"slow", 10 * time.Millisecond}} {
		grown, known, err := b.resident(path, how.pace)
		if err != nil {
			return nil, err
		}
		if known {
			all = append(all, measure{fmt.Sprintf("%s replayed by a %s reader: resident memory above the start", mebibytes(size), how.name),
				mebibytes(grown), "< " + mebibytes(replayGoal), grown >= replayGoal})
		}
	}
	back, err := b.goingBack(path)
	return append(all, back...), err
}

func (b *bed) writeLarge(path string) error {
	s, err := openFile(b, file.Config{Path: path})
	if err != nil {
		return err
	}
	p, err := s.Producer(b.ctx, streamer.ProducerOptions{})
	if err != nil {
		return errors.Join(err, s.Close())
	}
	names := make([]string, interleaved)
	for i := range names {
		names[i] = largeStream(i)
	}
	value := make([]byte, payload)
	for i := range b.messages {
		p.Send(b.ctx, streamer.Record{Stream: names[i%interleaved], Value: value, Time: largeBegin.Add(time.Duration(i) * time.Millisecond)})
	}
	return errors.Join(p.Flush(b.ctx), s.Close())
}

// resident replays the log and says by how much the process's memory grew at
// most. A slow reader, who rests after each batch, does not come to the end.
func (b *bed) resident(path string, rest time.Duration) (grown int64, known bool, err error) {
	s, err := openFile(b, file.Config{Path: path, NoFollow: true})
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	watch, known := watchResident()
	defer func() { grown = watch.stop() }()
	c, err := s.Consumer(b.ctx, streamer.ConsumerOptions{Streams: []string{"*"}, Mode: streamer.Resumable, Group: b.unique("group"), AutoReset: streamer.Earliest})
	if err != nil {
		return 0, known, err
	}
	for from := time.Now(); rest == 0 || time.Since(from) < slowFor; {
		batch, err := c.NextBatch(b.ctx, batchSize)
		if err != nil {
			return 0, known, unlessEOF(err)
		}
		for _, m := range batch {
			m.Ack()
		}
		if rest > 0 {
			if err := pass(b.ctx, rest); err != nil {
				return 0, known, err
			}
		}
	}
	return 0, known, nil
}

// goingBack counts the bytes that it takes to come to a message in the middle
// of the log from its end.
func (b *bed) goingBack(path string) (all []measure, err error) {
	s, err := openFile(b, file.Config{Path: path})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	middle := b.messages / 2
	stream := largeStream(middle)
	c, err := s.Consumer(b.ctx, streamer.ConsumerOptions{Streams: []string{stream}, Prefetch: 1})
	if err != nil {
		return nil, err
	}
	positions := map[string]streamer.Position{
		"a number": streamer.At(streamer.SeqUint(uint64(middle/interleaved) + 1)),
		"a time":   streamer.AtTime(largeBegin.Add(time.Duration(middle) * time.Millisecond)),
	}
	for _, name := range []string{"a number", "a time"} {
		read, known, err := rewound(b.ctx, c, positions[name], middle)
		if err != nil {
			return nil, err
		}
		if known {
			all = append(all, measure{fmt.Sprintf("`Rewind` to %s in its middle, %d interleaved streams: read until the message is there", name, interleaved),
				mebibytes(read), "< " + mebibytes(rewindGoal), read >= rewindGoal})
		}
	}
	return all, nil
}

func rewound(ctx context.Context, c streamer.Consumer, to streamer.Position, index int) (read int64, known bool, err error) {
	before, known := bytesRead()
	if err := c.Rewind(ctx, to); err != nil {
		return 0, known, err
	}
	m, err := c.Next(ctx)
	if err != nil {
		return 0, known, err
	}
	after, _ := bytesRead()
	if want := uint64(index/interleaved) + 1; m.Seq.Uint() != want {
		return 0, known, fmt.Errorf("rewinding came to message %d, not %d", m.Seq.Uint(), want)
	}
	return after - before, known, nil
}
