package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/stdio"
)

// fullHead is what a producer writes in front of a value.
const fullHead = "[2024-05-06T07:08:09.123456789 | events | %d | 0] "

// stdioCases read and write files, as a shell's redirection makes standard
// input and output one.
func stdioCases() []benchCase {
	var all []benchCase
	for i := range verbs {
		v := &verbs[i]
		scanned := benchCase{
			name:    "stdio/consume/" + v.name,
			control: "bufio.Scanner",
			goal:    goal{ratio: 3},
			setup:   linesSetup(v, "", (*bed).scanning),
		}
		headed := scanned
		headed.name += "/head"
		headed.setup = linesSetup(v, fullHead, (*bed).scanning)
		all = append(all, scanned, headed, benchCase{
			name:    scanned.name + "/copy",
			control: "bufio.Scanner and a copy of each line",
			setup:   linesSetup(v, "", (*bed).copying),
		})
	}
	return append(all, printCase("line", stdio.Line), printCase("json", stdio.JSON))
}

func linesSetup(v *verb, head string, plain func(*bed, string) task) func(*bed) (pair, error) {
	return func(b *bed) (pair, error) {
		path, err := b.writeLines(head)
		if err != nil {
			return pair{}, err
		}
		return pair{subject: b.readingLines(path, v), control: plain(b, path)}, nil
	}
}

// readingLines is trials of a consumer of a file of lines. There is no group,
// so nothing is committed.
func (b *bed) readingLines(path string, v *verb) task {
	return func() (trial, error) {
		f, err := os.Open(path)
		if err != nil {
			return trial{}, err
		}
		s, err := stdio.Connect(b.ctx, stdio.Config{In: f}, streamer.StreamerOptions{})
		if err != nil {
			return trial{}, errors.Join(err, f.Close())
		}
		return trial{
			run: func() (int, error) { return consume(b.ctx, s, streamer.ConsumerOptions{}, v) },
			end: func() error { return errors.Join(s.Close(), f.Close()) },
		}, nil
	}
}

// consume opens a consumer and takes everything until the input ends.
func consume(ctx context.Context, s streamer.Streamer, o streamer.ConsumerOptions, v *verb) (int, error) {
	c, err := s.Consumer(ctx, o)
	if err != nil {
		return 0, err
	}
	return v.takeAll(ctx, c, 1)
}

func printCase(name string, format stdio.Format) benchCase {
	return benchCase{name: "stdio/produce/" + name, control: "bufio.Writer", setup: func(b *bed) (pair, error) {
		path, err := b.printOnce(format)
		if err != nil {
			return pair{}, err
		}
		return pair{subject: b.printing(format), control: b.buffering(path)}, nil
	}}
}

// printOnce makes the file that the control writes again.
func (b *bed) printOnce(format stdio.Format) (path string, err error) {
	f, err := os.Create(filepath.Join(b.dir, "printed"))
	if err != nil {
		return "", err
	}
	_, err = b.print(f, format)
	return f.Name(), errors.Join(err, f.Close())
}

// printing is trials of a producer that writes a file.
func (b *bed) printing(format stdio.Format) task {
	return func() (trial, error) {
		f, err := os.Create(filepath.Join(b.dir, b.unique("subject")))
		if err != nil {
			return trial{}, err
		}
		return trial{
			run: func() (int, error) { return b.print(f, format) },
			end: func() error { return discard(f) },
		}, nil
	}
}

func (b *bed) print(f *os.File, format stdio.Format) (int, error) {
	s, err := stdio.Connect(b.ctx, stdio.Config{Out: f, Format: format}, streamer.StreamerOptions{})
	if err != nil {
		return 0, err
	}
	n, err := produce(b.ctx, s, b.messages)
	return n, errors.Join(err, s.Close())
}

// produce sends n records and waits until they are stored.
func produce(ctx context.Context, s streamer.Streamer, n int) (int, error) {
	p, err := s.Producer(ctx, streamer.ProducerOptions{Stream: streamName})
	if err != nil {
		return 0, err
	}
	value := make([]byte, payload)
	for i := range value {
		value[i] = 'x'
	}
	for range n {
		p.Send(ctx, streamer.Record{Value: value})
	}
	return n, p.Flush(ctx)
}
