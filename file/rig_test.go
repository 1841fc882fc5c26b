package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// hang is the limit of every test: who waits longer waits for ever.
const hang = 60 * time.Second

// rig is a log in a directory of its own, and the verbs that tests share.
type rig struct {
	*testing.T
	cfg Config
	o   streamer.StreamerOptions

	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	skipped []streamer.SkipEvent
	gone    []streamer.GoneEvent
}

func newRig(t *testing.T, edit ...func(*Config)) *rig {
	t.Helper()
	r := &rig{T: t, cfg: Config{Path: filepath.Join(t.TempDir(), "log.ss"), Beacon: 1 << 10}}
	for _, e := range edit {
		e(&r.cfg)
	}
	r.o.Hooks = streamer.Hooks{
		Skipped: func(e streamer.SkipEvent) { r.note(func() { r.skipped = append(r.skipped, e) }) },
		Gone:    func(e streamer.GoneEvent) { r.note(func() { r.gone = append(r.gone, e) }) },
	}
	r.cancel = func() {}
	r.renew()
	t.Cleanup(func() { r.cancel() })
	return r
}

// renew begins another round of a long test: its waits have the whole limit.
func (r *rig) renew() {
	r.cancel()
	r.ctx, r.cancel = context.WithTimeout(context.Background(), hang)
}

func (r *rig) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) is(err, kind error) {
	r.Helper()
	if !errors.Is(err, kind) {
		r.Fatalf("error is %v, want %v", err, kind)
	}
}

// connect starts another program on the log.
func (r *rig) connect(edit ...func(*Config)) streamer.Streamer {
	r.Helper()
	c := r.cfg
	for _, e := range edit {
		e(&c)
	}
	s, err := Connect(r.ctx, c, r.o)
	r.ok(err)
	r.Cleanup(func() { s.Close() })
	return s
}

func (r *rig) producer(s streamer.Streamer, stream string) streamer.Producer {
	r.Helper()
	p, err := s.Producer(r.ctx, streamer.ProducerOptions{Stream: stream})
	r.ok(err)
	return p
}

// send stores records and returns where they are.
func (r *rig) send(p streamer.Producer, recs ...streamer.Record) []streamer.Meta {
	r.Helper()
	receipts := make([]*streamer.Receipt, len(recs))
	for i := range recs {
		receipts[i] = p.Send(r.ctx, recs[i])
	}
	metas := make([]streamer.Meta, len(recs))
	for i := range receipts {
		m, err := receipts[i].Wait(r.ctx)
		r.ok(err)
		metas[i] = m
	}
	return metas
}

// produce stores values on a stream with a producer of its own, in a program of
// its own.
func (r *rig) produce(stream string, values ...string) []streamer.Meta {
	r.Helper()
	s := r.connect()
	metas := r.send(r.producer(s, stream), records(values...)...)
	r.ok(s.Close())
	return metas
}

func records(values ...string) []streamer.Record {
	recs := make([]streamer.Record, len(values))
	for i, v := range values {
		recs[i].Value = []byte(v)
	}
	return recs
}

// numbers are the decimals from a up to, but without, b.
func numbers(a, b int) []string {
	var all []string
	for ; a < b; a++ {
		all = append(all, fmt.Sprint(a))
	}
	return all
}

func (r *rig) consumer(s streamer.Streamer, o streamer.ConsumerOptions, streams ...string) streamer.Consumer {
	r.Helper()
	o.Streams = streams
	c, err := s.Consumer(r.ctx, o)
	r.ok(err)
	return c
}

func earliest() streamer.ConsumerOptions {
	return streamer.ConsumerOptions{AutoReset: streamer.Earliest}
}

func resumable(group string) streamer.ConsumerOptions {
	return streamer.ConsumerOptions{Mode: streamer.Resumable, Group: group, AutoReset: streamer.Earliest, Ack: streamer.AckManual, CommitEvery: streamer.Never}
}

func (r *rig) next(c streamer.Consumer) *streamer.Message {
	r.Helper()
	m, err := c.Next(r.ctx)
	r.ok(err)
	return m
}

// expect takes messages and fails unless their values are these.
func (r *rig) expect(c streamer.Consumer, values ...string) []*streamer.Message {
	r.Helper()
	var all []*streamer.Message
	for i, want := range values {
		m := r.next(c)
		if string(m.Value) != want {
			r.Fatalf("message %d of %d is %q, want %q", i+1, len(values), m.Value, want)
		}
		all = append(all, m)
	}
	return all
}

// ends fails unless the consumer is at the end of finite input.
func (r *rig) ends(c streamer.Consumer) {
	r.Helper()
	if m, err := c.Next(r.ctx); err != io.EOF {
		r.Fatalf("Next gave %+v, %v; want io.EOF", m, err)
	}
}

// all reads the log from the beginning to its present end in a program of its
// own.
func (r *rig) all(streams ...string) []*streamer.Message {
	r.Helper()
	s := r.connect(func(c *Config) { c.NoFollow = true })
	defer s.Close()
	c := r.consumer(s, earliest(), streams...)
	var all []*streamer.Message
	for {
		m, err := c.Next(r.ctx)
		if err == io.EOF {
			return all
		}
		r.ok(err)
		all = append(all, m)
	}
}

func values(ms []*streamer.Message) []string {
	out := make([]string, len(ms))
	for i, m := range ms {
		out[i] = string(m.Value)
	}
	return out
}

func (r *rig) same(what string, got, want []string) {
	r.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.Fatalf("%s: %.300q\nwant %.300q", what, got, want)
	}
}

func (r *rig) read() []byte {
	r.Helper()
	b, err := os.ReadFile(r.cfg.Path)
	r.ok(err)
	return b
}

func (r *rig) write(b []byte) {
	r.Helper()
	r.ok(os.WriteFile(r.cfg.Path, b, 0o644))
}

// await polls until something is so.
func (r *rig) await(what string, so func() bool) {
	r.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			r.Fatalf("waiting for %s", what)
		}
	}
}

// foreign writes a log as SeaStreamer does: its beacons name what this session
// wrote, and an end of stream may follow.
type foreign struct {
	h   ss.Header
	e   *ss.Encoder
	b   []byte
	seq map[string]uint64
}

func newForeign(interval uint32) *foreign {
	f := &foreign{h: ss.Header{Name: "log.ss", Created: 1700000000000, Interval: interval}, seq: map[string]uint64{}}
	f.b = f.h.Append(nil)
	f.e = ss.NewEncoder(interval, ss.HeaderSize)
	return f
}

// session starts another: what was written before is forgotten.
func (f *foreign) session() {
	end := f.e.Offset()
	f.e = ss.NewEncoder(f.h.Interval, end)
	f.b = f.e.Start(f.b)
}

func (f *foreign) send(key string, values ...string) {
	for _, v := range values {
		f.sendAt(key, 0, uint64(time.Now().UnixMilli()), v)
	}
}

func (f *foreign) sendAt(key string, shard, ms uint64, value string) {
	id := fmt.Sprint(key, "/", shard)
	f.seq[id]++
	f.b = f.e.Append(f.b, key, shard, f.seq[id], ms, []byte(value))
}

func (f *foreign) eos() {
	f.b = f.e.Append(f.b, ss.Internal, 0, 0, logfile.NowMillis(), []byte(ss.EOS))
}

// frames lists what a log holds: "key/shard/seq payload", and damage as "!".
func frames(t testing.TB, b []byte) []string {
	t.Helper()
	h, err := ss.ParseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	s := ss.NewScanner(bytesAt(b), h.Interval, ss.HeaderSize)
	var all []string
	for {
		f, err := s.Next()
		var d *ss.Damage
		switch {
		case err == nil:
			all = append(all, fmt.Sprintf("%s/%d/%d %s", f.Key, f.Shard, f.Seq, f.Payload))
		case errors.As(err, &d):
			all = append(all, "!")
		default:
			if s.Fill() != nil {
				return all
			}
		}
	}
}

type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// contextWithin ends soon where a call may have to be given up.
func contextWithin(ctx context.Context, soon bool) (context.Context, context.CancelFunc) {
	if soon {
		return context.WithTimeout(ctx, 2*time.Millisecond)
	}
	return context.WithCancel(ctx)
}

// removeLog removes the log, in whatever form.
func (r *rig) removeLog() {
	r.Helper()
	r.ok(os.RemoveAll(r.cfg.Path))
}
