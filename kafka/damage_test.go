package kafka_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// damages are what a disk can do to a batch.
var damages = map[string]func(batch []byte){
	"magic byte":           func(b []byte) { b[16] = 9 },
	"magic byte of old":    func(b []byte) { b[16] = 1 },
	"last offset far":      func(b []byte) { binary.BigEndian.PutUint32(b[23:], 1<<20) },
	"last offset near":     func(b []byte) { binary.BigEndian.PutUint32(b[23:], 0) },
	"last offset before":   func(b []byte) { binary.BigEndian.PutUint32(b[23:], 1<<31) },
	"length beyond all":    func(b []byte) { binary.BigEndian.PutUint32(b[8:], 1<<30) },
	"length negative":      func(b []byte) { binary.BigEndian.PutUint32(b[8:], 1<<31) },
	"length zero":          func(b []byte) { binary.BigEndian.PutUint32(b[8:], 0) },
	"length a bit more":    func(b []byte) { binary.BigEndian.PutUint32(b[8:], uint32(len(b))+1) },
	"length a bit less":    func(b []byte) { binary.BigEndian.PutUint32(b[8:], uint32(len(b))-20) },
	"zeroed":               func(b []byte) { clear(b) },
	"zeroed in part":       func(b []byte) { clear(b[4:40]) },
	"a byte of the record": func(b []byte) { b[len(b)-1] ^= 0xff },
}

const perBatch = 3

// disk is a broker of the test's own.
type disk struct {
	testing.TB
	cluster *testservers.KafkaCluster
}

// rig makes a topic of two shards on the disk's broker.
func (d *disk) rig(t *testing.T) *rig {
	r := &rig{TB: t, brokers: d.cluster.Addrs()}
	r.prepare(2, nil)
	return r
}

// storeBatches stores numbered records of a size in a shard, perBatch at a
// time.
func storeBatches(r *rig, shard int32, from, end, size int) {
	r.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ManualFlushing(),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	r.must(err)
	defer cl.Close()
	for i := from; i < end; i++ {
		value := append(fmt.Append(nil, i, " "), slices.Repeat([]byte("x"), size)...)
		cl.TryProduce(r.ctx(), &kgo.Record{Topic: r.topic, Partition: shard, Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				r.Error(err)
			}
		})
		if (i+1-from)%perBatch == 0 {
			r.must(cl.Flush(r.ctx()))
		}
	}
	r.must(cl.Flush(r.ctx()))
}

// harm damages the batch that begins with an offset.
func (d *disk) harm(r *rig, shard int32, offset uint64, do func(batch []byte)) {
	r.Helper()
	segments, err := filepath.Glob(filepath.Join(d.cluster.Nodes[0].LogDir(r.topic, shard), "*.log"))
	r.must(err)
	for _, name := range segments {
		data, err := os.ReadFile(name)
		r.must(err)
		for at := 0; at+12 <= len(data); {
			end := at + 12 + int(binary.BigEndian.Uint32(data[at+8:]))
			if binary.BigEndian.Uint64(data[at:]) != offset {
				at = end
				continue
			}
			do(data[at:end])
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			r.must(err)
			_, err = f.WriteAt(data[at:end], int64(at))
			r.must(errors.Join(err, f.Close()))
			return
		}
	}
	r.Fatalf("no batch begins at %d", offset)
}

// skips are what was skipped.
type skips struct {
	mu  sync.Mutex
	all []streamer.SkipEvent
}

func (s *skips) add(e streamer.SkipEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, e)
}

// only checks that one batch of shard 0 was skipped, the one before next.
func (s *skips) only(r *rig, next uint64) {
	r.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) != 1 || s.all[0].Seq != streamer.SeqUint(next-1) || s.all[0].Shard != 0 || !errors.Is(s.all[0].Err, kerr.CorruptMessage) {
		r.Errorf("skipped: %+v, want the offsets before %d, CORRUPT_MESSAGE", s.all, next)
	}
	for _, e := range s.all {
		if strings.Contains(e.Err.Error(), "no Kafka broker") {
			r.Errorf("skipped: %v", e.Err)
		}
	}
}

// readAll takes messages until each shard has come to its end, and checks that
// they are the numbers below it but those in [gap, after) of shard 0.
func readAll(r *rig, c streamer.Consumer, ends [2]int, gap, after int) {
	r.Helper()
	readAllFrom(r, c, [2]int{}, ends, gap, after)
}

func readAllFrom(r *rig, c streamer.Consumer, next, ends [2]int, gap, after int) {
	r.Helper()
	for next != ends {
		m, err := c.Next(r.ctx())
		if err != nil {
			r.Fatalf("at %v of %v: %v", next, ends, err)
		}
		if m.Shard == 0 && next[0] == gap {
			next[0] = after
		}
		var n int
		if _, err := fmt.Sscan(string(m.Value), &n); err != nil || n != next[m.Shard] || m.Seq.Uint() != uint64(n) { //nolint:gosec // never negative
			r.Fatalf("shard %d: %.10q at %v, want %d", m.Shard, m.Value, m.Seq, next[m.Shard])
		}
		next[m.Shard]++
		m.Ack()
	}
}

// onDisk runs f for each damage and mode, with a topic and a group of its own.
func onDisk(t *testing.T, modes []streamer.ConsumerOptions, f func(r *rig, d *disk, o streamer.ConsumerOptions, harm func([]byte))) {
	c := testservers.StartKafka(t, testservers.KafkaOptions{})
	if c == nil {
		return
	}
	d := &disk{TB: t, cluster: c}
	for name, harm := range damages {
		for _, o := range modes {
			t.Run(fmt.Sprintf("%s, mode %v", name, o.Mode), func(t *testing.T) {
				t.Parallel()
				if o.Group != "" {
					o.Group += uuid.NewString()
				}
				f(d.rig(t), d, o, harm)
			})
		}
	}
}

// TestADamagedBatchOnDiskIsPassedOverAlone: thirty batches behind it arrive,
// and so does the other shard.
func TestADamagedBatchOnDiskIsPassedOverAlone(t *testing.T) {
	const bad, end = 5 * perBatch, 36 * perBatch
	for _, size := range []int{1, 3000} { // all behind one entry of the broker's index, and one each
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			onDisk(t, modes(), func(r *rig, d *disk, o streamer.ConsumerOptions, harm func([]byte)) {
				storeBatches(r, 0, 0, end, size)
				storeBatches(r, 1, 0, end, size)
				d.harm(r, 0, bad, harm)
				var skipped skips
				s := r.connect(kafka.Config{}, streamer.StreamerOptions{Hooks: streamer.Hooks{Skipped: skipped.add}})
				c := r.consumer(s, o)
				readAll(r, c, [2]int{end, end}, bad, bad+perBatch)
				skipped.only(r, bad+perBatch)
				r.must(c.Commit(context.Background()))
			})
		})
	}
}

// TestADamagedBatchAtTheBeginningOrTheEndOfALog: nothing is in front of the
// first, and what comes behind the last comes later.
func TestADamagedBatchAtTheBeginningOrTheEndOfALog(t *testing.T) {
	const end, size = 8 * perBatch, 3000 // each has its entry in the broker's index
	for where, bad := range map[string]int{"beginning": 0, "end": end - perBatch} {
		t.Run(where, func(t *testing.T) {
			onDisk(t, modes()[2:], func(r *rig, d *disk, o streamer.ConsumerOptions, harm func([]byte)) {
				storeBatches(r, 0, 0, end, size)
				storeBatches(r, 1, 0, end, size)
				d.harm(r, 0, uint64(bad), harm) //nolint:gosec // never negative
				var skipped skips
				s := r.connect(kafka.Config{}, streamer.StreamerOptions{Hooks: streamer.Hooks{Skipped: skipped.add}})
				c := r.consumer(s, o)
				var read [2]int
				if bad > 0 {
					read = [2]int{bad, end}
					readAll(r, c, read, -1, -1)
				}
				storeBatches(r, 0, end, 2*end, size)
				readAllFrom(r, c, read, [2]int{2 * end, end}, bad, bad+perBatch)
				skipped.only(r, uint64(bad)+perBatch) //nolint:gosec // never negative
			})
		})
	}
}
