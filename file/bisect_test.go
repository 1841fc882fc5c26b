package file

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// vast is a log of any size that is computed where it is read: message i is of stream i modulo streams, as one writer writes it. Its running checksums, at which no
// reader looks, are zero.
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

func (v *vast) key(i int64) string { return fmt.Sprintf("stream-%04d", i%int64(v.streams)) }

func (v *vast) items() int64 { return int64(min(v.streams, ss.ItemCap(uint32(v.interval)))) }

// messageBytes is how many bytes of frames stand before an offset, which is not in a beacon.
func (v *vast) messageBytes(off int64) int64 {
	return off - ss.HeaderSize - off/v.interval*v.beacon
}

// messages is how many there are, whole.
func (v *vast) messages() int64 { return v.messageBytes(v.size) / v.frame }

func (v *vast) frameBytes(i int64) []byte {
	payload := make([]byte, v.payload)
	binary.BigEndian.PutUint64(payload, uint64(i))
	return ss.NewEncoder(1<<31, ss.HeaderSize).Append(nil, v.key(i), 0, uint64(i/int64(v.streams))+1, 1700000000000+uint64(i), payload)
}

func (v *vast) beaconBytes(n int64) []byte {
	done := v.messageBytes(n*v.interval) + v.beacon // the one at n is not before it
	seen := (done + v.frame - 1) / v.frame
	b := binary.BigEndian.AppendUint32([]byte{'\r'}, uint32(seen*v.frame-done))
	b = append(b, byte(v.items()))
	for j := range v.items() {
		s := ((n-1)*v.items() + j) % int64(v.streams)
		count := (seen - s + int64(v.streams) - 1) / int64(v.streams)
		key := v.key(s)
		b = append(append(b, byte(len(key))), key...)
		b = binary.BigEndian.AppendUint64(b, 0)
		b = binary.BigEndian.AppendUint64(b, uint64(count))
		b = binary.BigEndian.AppendUint64(b, 1700000000000+uint64((count-1)*int64(v.streams)+s))
		b = append(b, 0, 0)
	}
	return append(b, '\r')
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
	l.under = func(h handle) handle { return vastFile{h, v} }
	r.Cleanup(func() { logs.release(l) })
}

type vastFile struct {
	handle
	v *vast
}

func (f vastFile) ReadAt(p []byte, off int64) (int, error) { return f.v.ReadAt(p, off) }

// firstFrom opens a source at a position and takes its first message. It returns how many bytes that read.
func (r *rig) firstFrom(v *vast, stream string, p streamer.Position) (m streamer.Message, read int64) {
	r.Helper()
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

// TestRewindIntoTheMiddleReadsLittle: of 1 GiB with 200 interleaved streams, more than a beacon names, less than 3 MiB are read, from opening the source to the message.
func TestRewindIntoTheMiddleReadsLittle(t *testing.T) {
	const limit = 3 << 20
	r := newRig(t)
	v := newVast(1<<30, 1<<20, 200, 256)
	v.in(r)
	rows := v.messages() / int64(v.streams)
	sum, most, n := int64(0), int64(0), int64(0)
	for s := int64(0); s < 200; s += 13 {
		for _, row := range []int64{rows / 2, rows/2 + 997*s, rows / 3} {
			stream, seq := v.key(s), streamer.SeqUint(uint64(row%rows)+1)
			m, read := r.firstFrom(v, stream, streamer.At(seq))
			if m.Stream != stream || m.Seq != seq {
				t.Fatalf("At(%v) of %s gave %v of %s", seq, stream, m.Seq, m.Stream)
			}
			sum, most, n = sum+read, max(most, read), n+1
		}
	}
	t.Logf("%d positions: %d KiB on the average, %d KiB at most, were read of %d MiB", n, sum/n>>10, most>>10, v.size>>20)
	if most >= limit {
		t.Errorf("%d bytes were read", most)
	}
}

// TestPositionsInAVastLog are right where beacons take turns to name the streams, at the ends and out of range.
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
