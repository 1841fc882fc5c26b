package file

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// vast is a log of any size that is computed where it is read: message i is of
// stream i modulo streams, as one writer writes it. Its running checksums, at
// which no reader looks, are zero.
type vast struct {
	streams, payload int
	interval, size   int64
	frame, beacon    int64 // their sizes
	reads, bytes     int64 // counted
}

func newVast(size, interval int64, streams, payload int) *vast {
	v := &vast{streams: streams, payload: payload, interval: interval, size: size}
	v.frame = ss.FrameSize(len(v.key(0)), payload)
	v.beacon = 7 + v.items()*int64(27+len(v.key(0)))
	return v
}

// key is as long for every stream, so that beacons are all of one size.
func (v *vast) key(i int64) string { return fmt.Sprintf("stream-%014d", i%int64(v.streams)) }

// time is a message's: of each stream every thirteenth is as old as those some
// way back.
func (v *vast) time(i int64) uint64 {
	if i/int64(v.streams)%13 == 12 {
		i -= 7 * int64(v.streams)
	}
	return uint64(1700000000000 + i)
}

// latest is the highest time of a stream's first messages.
func (v *vast) latest(stream, count int64) uint64 {
	last := (count-1)*int64(v.streams) + stream
	return max(v.time(last), v.time(max(last-int64(v.streams), stream)))
}

// items is how many a beacon has: they name the streams in turns.
func (v *vast) items() int64 { return int64(min(v.streams, ss.ItemCap(uint32(v.interval)))) }

// messageBytes is how many bytes of frames stand before an offset, which is not
// in a beacon.
func (v *vast) messageBytes(off int64) int64 {
	return off - ss.HeaderSize - off/v.interval*v.beacon
}

// messages is how many there are, whole.
func (v *vast) messages() int64 { return v.messageBytes(v.size) / v.frame }

func (v *vast) frameBytes(i int64) []byte {
	payload := make([]byte, v.payload)
	binary.BigEndian.PutUint64(payload, uint64(i))
	return ss.NewEncoder(1<<31, ss.HeaderSize).Append(nil, v.key(i), 0, uint64(i/int64(v.streams))+1, v.time(i), payload)
}

func (v *vast) beaconBytes(n int64) []byte {
	done := v.messageBytes(n*v.interval) + v.beacon // the one at n is not before it
	seen := (done + v.frame - 1) / v.frame
	b := binary.BigEndian.AppendUint32([]byte{'\r'}, uint32(seen*v.frame-done))
	b = append(b, byte(v.items()))
	for j := range v.items() {
		s := ((n-1)*v.items() + j) % int64(v.streams)
		count := (seen - s + int64(v.streams) - 1) / int64(v.streams)
		b = appendItem(b, v.key(s), 0, uint64(count), v.latest(s, count))
	}
	return append(b, '\r')
}

func appendItem(b []byte, key string, shard, seq, ms uint64) []byte {
	b = append(append(b, byte(len(key))), key...)
	for _, n := range []uint64{shard, seq, ms} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return append(b, 0, 0)
}

func (v *vast) ReadAt(p []byte, off int64) (int, error) {
	v.reads++
	n := 0
	for n < len(p) && off < v.size {
		part := v.from(off)
		part = part[:min(int64(len(part)), v.size-off)]
		k := copy(p[n:], part)
		n, off = n+k, off+int64(k)
	}
	v.bytes += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// from is some bytes from an offset on.
func (v *vast) from(off int64) []byte {
	if off < ss.HeaderSize {
		return v.header()[off:]
	}
	if in := off % v.interval; off >= v.interval && in < v.beacon {
		return v.beaconBytes(off / v.interval)[in:]
	}
	at := v.messageBytes(off)
	part := v.frameBytes(at / v.frame)[at%v.frame:]
	return part[:min(int64(len(part)), v.interval-off%v.interval)]
}

func (v *vast) header() []byte {
	return ss.Header{Name: "vast.ss", Created: 1700000000000, Interval: uint32(v.interval)}.Append(nil)
}

// in puts the log's bytes into what is read through the rig's path.
func (v *vast) in(r *rig) {
	r.Helper()
	r.write(v.header())
	r.ok(os.Truncate(r.cfg.Path, v.size))
	l, err := logs.acquire(r.cfg.Path, r.cfg.Segment > 0)
	r.ok(err)
	l.under = func(h logfile.Handle) logfile.Handle { return vastFile{h, v} }
	r.Cleanup(func() { logs.release(l) })
}

type vastFile struct {
	logfile.Handle
	v *vast
}

func (f vastFile) ReadAt(p []byte, off int64) (int, error) { return f.v.ReadAt(p, off) }

// firstFrom opens a source at a position and takes its first message. It
// returns how many bytes that read.
func (r *rig) firstFrom(v *vast, stream string, p streamer.Position) (m streamer.Message, read int64) {
	r.Helper()
	r.renew()
	b, err := newBackend(r.cfg)
	r.ok(err)
	defer b.Close(r.ctx)
	c := sourceConfig(stream)
	c.Start, c.MaxBatch = p, 1
	before := v.bytes
	src, err := b.OpenSource(r.ctx, c)
	r.ok(err)
	r.ok(src.Fetch(r.ctx, func(ms []streamer.Message) { m = ms[0] }))
	read = v.bytes - before
	r.ok(src.Close(r.ctx))
	return m, read
}

// readsLittle tells how much was read for each of some positions.
func readsLittle(t *testing.T, v *vast, read []int64, limit int64) {
	t.Helper()
	sum := int64(0)
	for _, n := range read {
		sum += n
	}
	most := slices.Max(read)
	t.Logf("%d positions: %d KiB on the average, %d KiB at most, were read of %d MiB", len(read), sum/int64(len(read))>>10, most>>10, v.size>>20)
	if most >= limit {
		t.Errorf("%d bytes were read", most)
	}
}

// TestRewindIntoTheMiddleReadsLittle: of 1 GiB with 200 interleaved streams,
// more than a beacon names, less than 3 MiB are read, from opening the source
// to the message.
func TestRewindIntoTheMiddleReadsLittle(t *testing.T) {
	r := newRig(t)
	v := newVast(1<<30, 1<<20, 200, 256)
	v.in(r)
	rows := v.messages() / int64(v.streams)
	var read []int64
	for s := int64(0); s < 200; s += 13 {
		for _, row := range []int64{rows / 2, rows/2 + 997*s, rows / 3} {
			stream, seq := v.key(s), streamer.SeqUint(uint64(row%rows)+1)
			m, n := r.firstFrom(v, stream, streamer.At(seq))
			if m.Stream != stream || m.Seq != seq {
				t.Fatalf("At(%v) of %s gave %v of %s", seq, stream, m.Seq, m.Stream)
			}
			read = append(read, n)
		}
	}
	readsLittle(t, v, read, 3<<20)
}

// TestSeekIntoTheMiddleReadsLittle is the same by time, though the times of
// each stream go back now and then, and for all streams: where beacons have no
// room for them, these take some segments more.
func TestSeekIntoTheMiddleReadsLittle(t *testing.T) {
	for streams, limits := range map[int][2]int64{200: {3 << 20, 16 << 20}, 90: {3 << 20, 3 << 20}} {
		t.Run(fmt.Sprint(streams, " streams"), func(t *testing.T) {
			r := newRig(t)
			v := newVast(1<<30+256<<10, 1<<20, streams, 256)
			v.in(r)
			var one, all []int64
			for k := range int64(20) {
				ms := v.time(0) + uint64(v.messages()/21*k+k*k)
				s := k * 7 % int64(streams)
				m, n := r.firstFrom(v, v.key(s), streamer.AtTime(time.UnixMilli(int64(ms))))
				if want := v.firstSince(s, ms); m.Stream != v.key(s) || m.Seq.Uint() != want {
					t.Fatalf("from %d on %s has %v, want %d", ms, v.key(s), m.Seq, want)
				}
				one = append(one, n)
				m, n = r.firstFrom(v, wildcard, streamer.AtTime(time.UnixMilli(int64(ms))))
				if m.Time.UnixMilli() < int64(ms) {
					t.Fatalf("from %d on there is %v", ms, m.Meta)
				}
				all = append(all, n)
			}
			readsLittle(t, v, one, limits[0])
			readsLittle(t, v, all, limits[1])
		})
	}
}

// firstSince is the number of a stream's first message that is not older than
// ms.
func (v *vast) firstSince(stream int64, ms uint64) uint64 {
	row := max(int64(ms-v.time(0))/int64(v.streams)-1, 0)
	for v.time(row*int64(v.streams)+stream) < ms {
		row++
	}
	return uint64(row) + 1
}

// TestPositionsInAVastLog are right where beacons take turns to name the
// streams, at the ends and out of range.
func TestPositionsInAVastLog(t *testing.T) {
	r := newRig(t, func(c *Config) { c.NoFollow = true })
	v := newVast(40<<20, 64<<10, 500, 700)
	v.in(r)
	for _, s := range []int64{0, 1, 250, 499} {
		stream := v.key(s)
		last := uint64((v.messages()-1-s)/int64(v.streams)) + 1
		for _, seq := range []uint64{0, 1, 2, last / 3, last / 2, last - 1, last} {
			if m, _ := r.firstFrom(v, stream, streamer.At(streamer.SeqUint(seq))); m.Seq.Uint() != max(seq, 1) {
				t.Errorf("At(%d) of %s gave %v", seq, stream, m.Seq)
			}
			if seq == last {
				break
			}
			if m, _ := r.firstFrom(v, stream, streamer.After(streamer.SeqUint(seq))); m.Seq.Uint() != seq+1 {
				t.Errorf("After(%d) of %s gave %v", seq, stream, m.Seq)
			}
		}
	}
}
