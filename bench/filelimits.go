package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file"
)

const (
	syncSenders  = 64
	syncReceipts = 20      // per fsync, at least
	checkGoal    = 1.5e9   // bytes per second
	checkValue   = 1 << 20 // so large that hardly anything but the checksum takes time
	checkValues  = 64
	checkRounds  = 5
)

// measure is one row of a table of figures that have no control.
type measure struct {
	what   string
	got    string
	goal   string
	missed bool
}

// fileLimits measures what goes with the disk, and with a log of size bytes, in
// which streams take turns.
func fileLimits(ctx context.Context, size int64) (table string, err error) {
	b, err := newBed(ctx, int(size/(payload+largeOverhead)))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	syncs, err := b.groupCommit()
	if err != nil {
		return "", fmt.Errorf("group commit: %w", err)
	}
	checks, err := b.checking()
	if err != nil {
		return "", fmt.Errorf("checksums: %w", err)
	}
	large, err := b.onLargeLog(size)
	if err != nil {
		return "", fmt.Errorf("the log of %s: %w", mebibytes(size), err)
	}
	return measureTable("file, limits", slices.Concat(syncs, checks, large)), nil
}

func measureTable(title string, all []measure) string {
	var t strings.Builder
	fmt.Fprintf(&t, "\n### %s\n\n| what | measured | goal | |\n|---|---:|---|---|\n", title)
	for _, m := range all {
		fmt.Fprintf(&t, "| %s | %s | %s | %s |\n", m.what, m.got, m.goal, met(!m.missed))
	}
	return t.String()
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// groupCommit counts the receipts that one fsync serves. Where nothing waits
// for an fsync but one producer's writes, there is at most one for each write.
func (b *bed) groupCommit() (all []measure, err error) {
	writes, receipts := 0, 0 // the write goroutine's until Close
	s, err := file.Connect(b.ctx, file.Config{Path: filepath.Join(b.dir, "synced.ss"), Sync: file.SyncAlways}, streamer.StreamerOptions{
		Hooks: streamer.Hooks{Written: func(e streamer.WriteEvent) { writes++; receipts += e.Records }},
	})
	if err != nil {
		return nil, err
	}
	p, err := s.Producer(b.ctx, streamer.ProducerOptions{Stream: streamName})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	each := min(b.messages/syncSenders, 500)
	from := time.Now()
	_, err = inParallel(syncSenders, func() (int, error) { return sendAndWait(b.ctx, p, each) })
	took := time.Since(from)
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	per := float64(receipts) / float64(writes)
	return []measure{{
		what:   fmt.Sprintf("`sync=always`, %d senders that wait for each receipt: receipts per fsync", syncSenders),
		got:    fmt.Sprintf("%s, %s receipts/s", figure(per), perSecond(float64(took)/float64(receipts))),
		goal:   fmt.Sprintf("≥ %d", syncReceipts),
		missed: per < syncReceipts,
	}}, nil
}

// checking reads a log of a few large frames, which takes little more than
// their checksums: the best of some rounds.
func (b *bed) checking() (all []measure, err error) {
	path := filepath.Join(b.dir, "checked.ss")
	s, err := openFile(b, file.Config{Path: path})
	if err != nil {
		return nil, err
	}
	p, err := s.Producer(b.ctx, streamer.ProducerOptions{Stream: streamName})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	for range checkValues {
		p.Send(b.ctx, streamer.Record{Value: make([]byte, checkValue)})
	}
	if err := errors.Join(p.Flush(b.ctx), s.Close()); err != nil {
		return nil, err
	}
	best := time.Duration(math.MaxInt64)
	for range checkRounds {
		from := time.Now()
		if err := b.checkOnce(path); err != nil {
			return nil, err
		}
		best = min(best, time.Since(from))
	}
	rate := checkValues * checkValue / best.Seconds()
	return []measure{{
		what:   "reading frames of 1 MiB and checking them, on one core: a little less than the checksum's own speed",
		got:    figure(rate/1e9) + " GB/s",
		goal:   fmt.Sprintf("≥ %g GB/s", checkGoal/1e9),
		missed: rate < checkGoal,
	}}, nil
}

func (b *bed) checkOnce(path string) error {
	l, err := file.Inspect(path)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }() // it was only read
	for _, err := range l.Frames(b.ctx) {
		if err != nil {
			return err
		}
	}
	return nil
}
