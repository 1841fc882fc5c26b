package logfile

import (
	"bytes"
	"errors"
	"io"

	"github.com/gostreamer/streamer/file/internal/ss"
)

// Entry is a message as it lies in the window of a Scanner.
type Entry struct {
	ss.Frame
	Env   Envelope
	Start int64 // where its envelope starts, else its frame
}

// Reader reads the messages of a log: frames with their envelopes, without what
// is SeaStreamer's or this package's. Like a Scanner it separates reading from
// parsing.
type Reader struct {
	*ss.Scanner
	src   io.ReaderAt
	ahead ahead
	EOS   bool  // the last frame was an end of stream
	UpTo  int64 // behind the last frame that no writer takes back: all but ends of stream and envelopes; -1 before the first frame

	declared func(Declaration) // called for each declaration, if not nil
	carried  func([]ss.Item)   // and for what a segment says of those before it
}

// ahead is the envelope that came last, while its message is to come.
type ahead struct {
	set     bool
	spoiled bool // there was one, and it cannot be read: its message can't either
	start   int64
	shard   uint64
	seq     uint64
	payload []byte // nil if spoiled
	env     Envelope
}

// NewReader reads src from an offset on, in a log with that interval of
// beacons.
func NewReader(src io.ReaderAt, interval uint32, offset int64) *Reader {
	return &Reader{Scanner: ss.NewScanner(src, interval, offset), src: src, UpTo: offset}
}

// SeekTo continues at an offset, where a frame or an envelope starts.
func (r *Reader) SeekTo(offset int64) {
	r.MoveTo(offset)
	r.ahead, r.EOS, r.UpTo = ahead{}, false, offset
}

// moveToBeacon goes to the first frame behind a beacon.
func (r *Reader) moveToBeacon(n int64) {
	r.SeekTo(ss.HeaderSize)
	if n > 0 {
		r.MoveToBeacon(n)
		r.UpTo = -1
	}
}

// ReadOn reads on. An envelope whose message is still to come is kept over a
// Fill that finds more, and read again after one that does not: a writer that
// opens the log after a crash cuts it off.
func (r *Reader) ReadOn() error {
	if r.ahead.set {
		r.detach()
	}
	err := r.Fill()
	if err != nil && r.ahead.set {
		r.MoveTo(r.ahead.start)
		r.ahead = ahead{}
	}
	return err
}

// Needed is the offset before which the Reader needs nothing again.
func (r *Reader) Needed() int64 {
	if r.ahead.set {
		return r.ahead.start
	}
	return r.Offset()
}

// detach copies the envelope out of the window.
func (r *Reader) detach() {
	a := &r.ahead
	if a.spoiled {
		return
	}
	a.payload = bytes.Clone(a.payload)
	a.env, _ = ParseEnvelope(a.payload)
}

// NextEntry finds the next message of the window. It is ss.ErrMore or a
// *ss.Damage otherwise, whose Frame has a Key when it is known which message
// was lost.
func (r *Reader) NextEntry(e *Entry) error {
	for {
		f := &e.Frame
		if err := r.Read(f); err != nil {
			if err = r.trouble(err); err != nil {
				return err
			}
			continue
		}
		if r.UpTo < 0 {
			r.UpTo = f.Pos
		}
		if !f.IsInternal() {
			r.EOS, r.UpTo = false, f.End
			return r.message(e)
		}
		r.internal(f)
	}
}

// trouble is what an error of the Scanner means for messages; nil: nothing.
func (r *Reader) trouble(err error) error {
	d, ok := errors.AsType[*ss.Damage](err)
	if !ok {
		return err
	}
	if d.Frame.Key != nil && d.Frame.IsInternal() {
		r.ahead = ahead{set: true, spoiled: true, start: d.Offset, shard: d.Frame.Shard, seq: d.Frame.Seq}
		return nil
	}
	r.ahead, r.EOS, r.UpTo = ahead{}, false, d.Offset+d.Length
	if d.Frame.Key == nil {
		r.lookBack(d)
	}
	return d
}

// message joins e's frame with the envelope before it, if that is its own.
func (r *Reader) message(e *Entry) error {
	e.Start = e.Pos
	if e.Env.Stream != nil { // the one before had an envelope
		e.Env = Envelope{}
	}
	a, f := &r.ahead, &e.Frame
	if !a.set {
		return nil
	}
	a.set = false
	if a.shard != f.Shard || a.seq != f.Seq {
		return nil
	}
	if a.spoiled {
		return &ss.Damage{Offset: a.start, Length: f.End - a.start, Err: ss.ErrChecksum, Frame: *f}
	}
	if bytes.Equal(a.env.Stream, f.Key) {
		e.Env, e.Start = a.env, a.start
	}
	return nil
}

func (r *Reader) internal(f *ss.Frame) {
	r.ahead = ahead{}
	if r.EOS = f.IsEOS(); r.EOS {
		return
	}
	if env, ok := ParseEnvelope(f.Payload); ok {
		r.ahead = ahead{set: true, start: f.Pos, shard: f.Shard, seq: f.Seq, payload: f.Payload, env: env}
		return
	}
	r.UpTo = f.End
	if r.declared != nil {
		if d, ok := ParseDeclaration(f.Payload); ok {
			r.declared(d)
		}
	}
	if r.carried != nil {
		if items, ok := ParseCarry(f.Payload); ok {
			r.carried(items)
		}
	}
}

// lookBack searches the end of unreadable bytes for the envelope of the message
// behind them: without it the message would be delivered without its key, and
// the program would not know.
func (r *Reader) lookBack(d *ss.Damage) {
	prefix := append([]byte{byte(len(ss.Internal))}, ss.Internal...)
	b := make([]byte, min(d.Length, searchBack))
	n, err := r.src.ReadAt(b, d.Offset+d.Length-int64(len(b)))
	if err != nil && !errors.Is(err, io.EOF) {
		return
	}
	b = b[:n]
	i := bytes.LastIndex(b, prefix)
	if i < 0 || len(b)-i < len(prefix)+16 {
		return
	}
	at := b[i+len(prefix):]
	r.ahead = ahead{set: true, spoiled: true, start: d.Offset, shard: beUint64(at), seq: beUint64(at[8:])}
}

// searchBack is how far lookBack goes: envelopes are small.
const searchBack = 64 << 10
