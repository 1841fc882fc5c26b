package file

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// TestProducersShareAWriter is SeaStreamer's test of its producer: two
// producers of different programs, one sequence; a producer that closes does
// not harm the other; after the last one has closed the log is opened again
// where it ended.
func TestProducersShareAWriter(t *testing.T) {
	r := newRig(t, func(c *Config) { c.EOS = true })
	s1, s2 := r.connect(), r.connect()
	p1, p2 := r.producer(s1, "a"), r.producer(s2, "a")
	var want []string
	for i := range 50 {
		r.send([]streamer.Producer{p1, p2}[i%2], records(fmt.Sprint(i))...)
		want = append(want, fmt.Sprint(i))
	}
	r.ok(p1.Close())
	m := r.send(p2, records("50")...)
	if m[0].Seq != streamer.SeqUint(51) {
		t.Errorf("seq %v, want 51", m[0].Seq)
	}
	r.ok(p2.Close())
	_, err := p2.Send(r.ctx, streamer.Record{}).Wait(r.ctx)
	r.is(err, streamer.ErrClosed)
	c := r.consumer(s1, earliest(), "a")
	r.expect(c, append(want, "50")...)
	r.ends(c)
	r.produce("a", "51")
	r.same("messages", values(r.all("a")), append(want, "50", "51"))
}

// TestClosingAnOldProducerLeavesTheNewWriterAlone: defect 15.
func TestClosingAnOldProducerLeavesTheNewWriterAlone(t *testing.T) {
	r := newRig(t)
	b, err := newBackend(r.cfg)
	r.ok(err)
	defer b.Close(r.ctx)
	old, err := b.OpenSink(r.ctx, driver.SinkConfig{Stream: "a"})
	r.ok(err)
	r.ok(old.Close(r.ctx))
	s := r.connect()
	p := r.producer(s, "a")
	r.ok(old.Close(r.ctx))
	r.send(p, records("1")...)
}

func TestSecondWriterIsBusy(t *testing.T) {
	r := newRig(t)
	lf, err := logfile.OpenFile(r.cfg.Path, streamer.CreateAuto, 1<<10, nil) // as another process would
	r.ok(err)
	s := r.connect()
	_, err = s.Producer(r.ctx, streamer.ProducerOptions{Stream: "a"})
	r.is(err, streamer.ErrBusy)
	r.consumer(s, streamer.ConsumerOptions{}, "a") // readers are not kept out
	r.ok(lf.Close())
	r.send(r.producer(s, "a"), records("1")...)
}

func TestSpellingsOfOnePathAreOneLog(t *testing.T) {
	r := newRig(t)
	dir := filepath.Dir(r.cfg.Path)
	r.ok(os.Symlink(dir, dir+"-link"))
	t.Chdir(dir)
	p := r.producer(r.connect(), "a")
	r.send(p, records("1")...)
	r.ok(os.Link(r.cfg.Path, filepath.Join(dir, "hard.ss")))
	r.ok(os.Symlink("log.ss", filepath.Join(dir, "soft.ss")))
	for i, path := range []string{"log.ss", "./log.ss", dir + "/../" + filepath.Base(dir) + "/log.ss", dir + "-link/log.ss", "hard.ss", "soft.ss"} {
		s := r.connect(func(c *Config) { c.Path = path })
		m := r.send(r.producer(s, "a"), records("x")...)
		if m[0].Seq != streamer.SeqUint(uint64(i+2)) {
			t.Errorf("%s: seq %v, want %d", path, m[0].Seq, i+2)
		}
	}
}

func TestCreate(t *testing.T) {
	in := func(c streamer.Create) func(*Config) { return func(cfg *Config) { cfg.Create = c } }
	open := func(r *rig, c streamer.Create) error {
		_, err := r.connect(in(c)).Producer(r.ctx, streamer.ProducerOptions{Stream: "a"})
		return err
	}
	t.Run("never", func(t *testing.T) {
		r := newRig(t)
		r.is(open(r, streamer.CreateNever), streamer.ErrNotFound)
		r.produce("a", "1")
		r.ok(open(r, streamer.CreateNever))
	})
	t.Run("new", func(t *testing.T) {
		r := newRig(t)
		s := r.connect(in(streamer.CreateNew))
		r.producer(s, "a")
		r.producer(s, "b")
		r.is(open(r, streamer.CreateNew), streamer.ErrExists)
		r.ok(s.Close())
		r.is(open(r, streamer.CreateNew), streamer.ErrExists)
	})
	t.Run("auto", func(t *testing.T) {
		r := newRig(t)
		r.ok(open(r, streamer.CreateAuto))
		r.ok(open(r, streamer.CreateAuto))
	})
	t.Run("always", func(t *testing.T) {
		r := newRig(t)
		_, err := r.connect().Consumer(r.ctx, streamer.ConsumerOptions{Streams: []string{"a"}})
		r.is(err, streamer.ErrNotFound)
		c := r.consumer(r.connect(in(streamer.CreateAlways)), streamer.ConsumerOptions{}, "a")
		r.produce("a", "1")
		r.expect(c, "1")
	})
	t.Run("without a directory", func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Path = filepath.Join(filepath.Dir(c.Path), "none", "log.ss") })
		r.is(open(r, streamer.CreateAuto), streamer.ErrNotFound)
	})
}

// TestLimit: a record that does not fit is refused whole, is the only one, and
// leaves no trace (defect 6: SeaStreamer reports it as stored and cuts its
// frame).
func TestLimit(t *testing.T) {
	for limit := int64(128); limit < 2400; limit += 57 {
		r := newRig(t, func(c *Config) { c.Limit = limit })
		s := r.connect()
		p := r.producer(s, "a")
		var stored []string
		for i := range 60 {
			v := fmt.Sprint(i, " ", strings.Repeat("x", i%30))
			_, err := p.Send(r.ctx, streamer.Record{Value: []byte(v)}).Wait(r.ctx)
			if err == nil {
				stored = append(stored, v)
			} else if !errors.Is(err, streamer.ErrTooLarge) {
				t.Fatal(err)
			}
		}
		p.Close()
		r.ok(s.Close())
		if size := int64(len(r.read())); size > limit {
			t.Fatalf("limit %d: the log has %d bytes", limit, size)
		}
		r.same("messages", values(r.all("a")), stored)
	}
}

// TestALogBeyondItsLimitIsReadable: defect 18.
func TestALogBeyondItsLimitIsReadable(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(0, 50)...)
	s := r.connect(func(c *Config) { c.Limit = 300 })
	p := r.producer(s, "a")
	_, err := p.Send(r.ctx, streamer.Record{Value: []byte("x")}).Wait(r.ctx)
	r.is(err, streamer.ErrTooLarge)
	r.same("messages", values(r.all("a")), numbers(0, 50))
}

// TestBadRecordsFailAlone: what SeaStreamer panics on (defect 18) is an error
// of the record's own.
func TestBadRecordsFailAlone(t *testing.T) {
	r := newRig(t)
	p := r.producer(r.connect(), "a")
	for name, c := range map[string]struct {
		rec  streamer.Record
		kind error
	}{
		"before 1970":        {streamer.Record{Time: time.Unix(0, -1)}, streamer.ErrUnsupported},
		"after 9999":         {streamer.Record{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, streamer.ErrUnsupported},
		"after milliseconds": {streamer.Record{Time: time.Unix(math.MaxInt64/1000+1e6, 0)}, streamer.ErrUnsupported},
		"reserved name":      {streamer.Record{Stream: "SEA_STREAMER_INTERNAL"}, streamer.ErrInvalid},
		"name with slash":    {streamer.Record{Stream: "a/b"}, streamer.ErrInvalid},
		"name of 250":        {streamer.Record{Stream: strings.Repeat("n", 250)}, streamer.ErrInvalid},
		"name not ASCII":     {streamer.Record{Stream: "strøm"}, streamer.ErrInvalid},
		"wildcard":           {streamer.Record{Stream: "*"}, streamer.ErrInvalid},
		"key and value":      {streamer.Record{Key: make([]byte, MaxRecordBytes/2), Value: make([]byte, MaxRecordBytes/2+1)}, streamer.ErrTooLarge},
	} {
		_, err := p.Send(r.ctx, c.rec).Wait(r.ctx)
		if !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", name, err, c.kind)
		}
	}
	m := r.send(p, streamer.Record{Value: []byte("good"), Stream: strings.Repeat("n", 249), Time: time.Unix(0, 0)})
	if m[0].Seq != streamer.SeqUint(1) || !m[0].Time.Equal(time.Unix(0, 0)) {
		t.Errorf("%+v", m[0])
	}
}

func TestSequenceNumbersThatAreUsedUp(t *testing.T) {
	r := newRig(t)
	f := newForeign(1 << 10)
	f.b = f.e.Append(f.b, "a", 0, 1<<64-1, 1, nil)
	r.write(f.b)
	p := r.producer(r.connect(), "a")
	_, err := p.Send(r.ctx, streamer.Record{Value: []byte("x")}).Wait(r.ctx)
	r.is(err, streamer.ErrTooLarge)
	other := streamer.ShardID(1)
	r.send(p, streamer.Record{Shard: &other})
}

func TestLongFileName(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Path = filepath.Join(filepath.Dir(c.Path), strings.Repeat("n", 200)+".ss") })
	r.produce("a", "1")
	r.same("messages", values(r.all("a")), numbers(1, 2))
}

// TestDeletedUnderAProducer: a receipt says stored only if the record can be
// found where the log is (defect 6), and the writer continues (defect 19).
func TestDeletedUnderAProducer(t *testing.T) {
	t.Run("made again", func(t *testing.T) {
		r := newRig(t)
		p := r.producer(r.connect(), "a")
		r.send(p, records("1", "2")...)
		r.ok(os.Remove(r.cfg.Path))
		if m := r.send(p, records("3")...); m[0].Seq != streamer.SeqUint(1) {
			t.Errorf("seq %v in a new log, want 1", m[0].Seq)
		}
		r.same("messages", values(r.all("a")), numbers(3, 4))
	})
	t.Run("never made", func(t *testing.T) {
		r := newRig(t)
		r.produce("a", "1")
		p := r.producer(r.connect(func(c *Config) { c.Create = streamer.CreateNever }), "a")
		r.ok(os.Remove(r.cfg.Path))
		for range 3 {
			_, err := p.Send(r.ctx, records("2")[0]).Wait(r.ctx)
			r.is(err, streamer.ErrNotFound)
		}
	})
	t.Run("replaced", func(t *testing.T) {
		r := newRig(t)
		p := r.producer(r.connect(), "a")
		r.send(p, records("1")...)
		r.ok(os.Rename(r.cfg.Path, r.cfg.Path+".old"))
		f := newForeign(1 << 10)
		f.send("a", "other")
		r.write(f.b)
		r.send(p, records("2")...)
		r.same("messages", values(r.all("a")), []string{"other", "2"})
	})
	t.Run("written by another", func(t *testing.T) {
		r := newRig(t)
		p := r.producer(r.connect(), "a")
		r.send(p, records("1")...)
		b := r.read()
		e := ss.NewEncoder(1<<10, int64(len(b)))
		r.write(e.Append(b, "a", 0, 2, 1, []byte("2")))
		r.send(p, records("3")...)
		r.same("messages", values(r.all("a")), numbers(1, 4))
	})
}

func TestEOS(t *testing.T) {
	r := newRig(t, func(c *Config) { c.EOS = true })
	s := r.connect()
	r.ok(s.Close()) // a Streamer without a producer ends nothing, and does not hang (defect 13)
	s = r.connect()
	r.ok(s.Admin().Create(r.ctx, "a", 1))
	p := r.producer(s, "a")
	c := r.consumer(s, earliest(), "a")
	r.send(p, records("1")...)
	r.ok(s.Close())
	if got := frames(t, r.read()); got[len(got)-1] != ss.Internal+"/0/0 EOS" {
		t.Errorf("the log ends with %q", got[len(got)-1])
	}
	_ = c
	c = r.consumer(r.connect(), earliest(), "a")
	r.expect(c, "1")
	r.ends(c)
}

func TestShards(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Shards = 4 })
	p := r.producer(r.connect(), "a")
	seen := map[streamer.ShardID]int{}
	for _, m := range r.send(p, records(numbers(0, 40)...)...) {
		seen[m.Shard]++
	}
	if len(seen) != 4 || seen[0] != 10 {
		t.Errorf("records without a key went to %v", seen)
	}
	keyed := map[string]streamer.ShardID{}
	for i := range 100 {
		key := fmt.Sprint("k", i%10)
		m := r.send(p, streamer.Record{Key: []byte(key)})[0]
		if was, ok := keyed[key]; ok && was != m.Shard {
			t.Fatalf("key %s in shards %d and %d", key, was, m.Shard)
		}
		keyed[key] = m.Shard
	}
	far := streamer.ShardID(1 << 40)
	if m := r.send(p, streamer.Record{Shard: &far})[0]; m.Shard != far || m.Seq != streamer.SeqUint(1) {
		t.Errorf("%+v", m)
	}
}

// TestSync: whatever the policy, what is stored can be read; the policy's cost
// is not measured here.
func TestSync(t *testing.T) {
	for _, sync := range []time.Duration{SyncAlways, time.Millisecond, 0} {
		r := newRig(t, func(c *Config) { c.Sync = sync })
		s := r.connect()
		p1, p2 := r.producer(s, "a"), r.producer(s, "b")
		r.send(p1, records(numbers(0, 10)...)...)
		r.send(p2, records(numbers(0, 10)...)...)
		c := r.consumer(s, resumable("g"), "a")
		for _, m := range r.expect(c, numbers(0, 10)...) {
			m.Ack()
		}
		r.ok(c.Commit(r.ctx))
		r.ok(s.Close())
		r.same("messages", values(r.all("b")), numbers(0, 10))
	}
}

// TestManyWritersAndReaders: producers of several programs, followed by
// consumers of several programs; nothing is lost, doubled or out of order.
func TestManyWritersAndReaders(t *testing.T) {
	const writers, each = 4, 2000
	r := newRig(t, func(c *Config) { c.Shards = 3; c.Beacon = 4 << 10 })
	follower := r.consumer(r.connect(func(c *Config) { c.Create = streamer.CreateAlways }), earliest(), "*")
	var all sync.WaitGroup
	for w := range writers {
		p := r.producer(r.connect(), fmt.Sprint("stream-", w%2))
		all.Go(func() {
			for i := range each {
				p.Send(r.ctx, streamer.Record{Key: fmt.Append(nil, w), Value: fmt.Append(nil, i), Headers: []streamer.Header{{Key: "h", Value: []byte{byte(i)}}}})
			}
			if err := p.Flush(r.ctx); err != nil {
				t.Error(err)
			}
		})
	}
	next := map[string]int{}
	for range writers * each {
		m := r.next(follower)
		i := next[string(m.Key)]
		if string(m.Value) != fmt.Sprint(i) || len(m.Headers) != 1 || !bytes.Equal(m.Headers[0].Value, []byte{byte(i)}) {
			t.Fatalf("writer %s: %q %v, want %d", m.Key, m.Value, m.Headers, i)
		}
		next[string(m.Key)]++
	}
	all.Wait()
}
