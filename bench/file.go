package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file"
)

// fileCases write logs and replay them. What goes with a log's size or its disk
// is measured by fileLimits.
func fileCases() []benchCase {
	all := []benchCase{{
		name:    "file/produce",
		control: "bufio.Writer",
		goal:    goal{ratio: 2, rate: 1.5e6, allocs: allocs(1)},
		setup: func(b *bed) (pair, error) {
			path, err := b.writeLog()
			if err != nil {
				return pair{}, err
			}
			return pair{subject: b.appending(), control: b.buffering(path)}, nil
		},
	}}
	replayed := map[string]goal{
		"Next":      {ratio: 2, rate: 3e6, allocs: allocs(0)},
		"NextBatch": {ratio: 2, rate: 4e6, allocs: allocs(0)},
	}
	for i := range verbs {
		all = append(all, replayCase(&verbs[i], replayed[verbs[i].name]))
	}
	return all
}

func replayCase(v *verb, g goal) benchCase {
	return benchCase{name: "file/consume/" + v.name, control: "buffered read and checksums", goal: g, trial: bulky, setup: func(b *bed) (pair, error) {
		path, err := b.writeLog()
		if err != nil {
			return pair{}, err
		}
		return pair{subject: b.replaying(path, v), control: b.reading(path, walkFrames)}, nil
	}}
}

func openFile(b *bed, c file.Config) (streamer.Streamer, error) {
	return file.Connect(b.ctx, c, streamer.StreamerOptions{})
}

// writeLog makes a log of one trial's messages.
func (b *bed) writeLog() (path string, err error) {
	path = filepath.Join(b.dir, b.unique("log")+".ss")
	s, err := openFile(b, file.Config{Path: path})
	if err != nil {
		return "", err
	}
	_, err = produce(b.ctx, s, b.messages)
	return path, errors.Join(err, s.Close())
}

// appending is trials of a producer of a new log, until all is written; as with
// the control nothing waits for the disk.
func (b *bed) appending() task {
	return func() (trial, error) {
		path := filepath.Join(b.dir, b.unique("subject")+".ss")
		s, err := openFile(b, file.Config{Path: path})
		if err != nil {
			return trial{}, err
		}
		return trial{
			run: func() (int, error) { return produce(b.ctx, s, b.messages) },
			end: func() error { return errors.Join(s.Close(), os.Remove(path)) },
		}, nil
	}
}

// replaying is trials of a group that reads the log from its beginning to its
// end, and commits.
func (b *bed) replaying(path string, v *verb) task {
	return func() (trial, error) {
		s, err := openFile(b, file.Config{Path: path, NoFollow: true})
		if err != nil {
			return trial{}, err
		}
		o := streamer.ConsumerOptions{
			Streams: []string{streamName}, Mode: streamer.Resumable, Group: b.unique("group"), AutoReset: streamer.Earliest,
		}
		return trial{
			run: func() (int, error) { return consume(b.ctx, s, o, v) },
			end: s.Close,
		}, nil
	}
}
