package file

import (
	"bytes"
	"errors"
	"io"

	"github.com/gostreamer/streamer/file/internal/ss"
)

// entry is a message as it lies in the window of a Scanner.
type entry struct {
	ss.Frame
	env   envelope
	start int64 // where its envelope starts, else its frame
}

// entries reads the messages of a log: frames with their envelopes, without
// what is SeaStreamer's or ours. Like a Scanner it separates reading from
// parsing.
type entries struct {
	*ss.Scanner
	src   io.ReaderAt
	ahead ahead
	eos   bool  // the last frame was an end of stream
	upTo  int64 // behind the last frame that no writer takes back: all but ends of stream and envelopes; -1 before the first frame

	declared func(declaration) // called for each declaration, if not nil
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
	env     envelope
}

func newEntries(src io.ReaderAt, interval uint32, offset int64) *entries {
	return &entries{Scanner: ss.NewScanner(src, interval, offset), src: src, upTo: offset}
}

// moveTo goes to an offset as MoveTo does.
func (r *entries) moveTo(offset int64) {
	r.MoveTo(offset)
	r.ahead, r.eos, r.upTo = ahead{}, false, offset
}

// moveToBeacon goes to the first frame behind a beacon.
func (r *entries) moveToBeacon(n int64) {
	r.moveTo(ss.HeaderSize)
	if n > 0 {
		r.MoveToBeacon(n)
		r.upTo = -1
	}
}

// fill reads on. An envelope whose message is still to come is kept over a Fill
// that finds more, and read again after one that does not: a writer that opens
// the log after a crash cuts it off.
func (r *entries) fill() error {
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

// detach copies the envelope out of the window.
func (r *entries) detach() {
	a := &r.ahead
	if a.spoiled {
		return
	}
	a.payload = bytes.Clone(a.payload)
	a.env, _ = parseEnvelope(a.payload)
}

// next finds the next message of the window. It is ss.ErrMore or a *ss.Damage
// otherwise, whose Frame has a Key when it is known which message was lost.
func (r *entries) next(e *entry) error {
	for {
		f := &e.Frame
		if err := r.Read(f); err != nil {
			if err = r.trouble(err); err != nil {
				return err
			}
			continue
		}
		if r.upTo < 0 {
			r.upTo = f.Pos
		}
		if !f.IsInternal() {
			r.eos, r.upTo = false, f.End
			return r.message(e)
		}
		r.internal(f)
	}
}

// trouble is what Next's error means for messages; nil: nothing.
func (r *entries) trouble(err error) error {
	d, ok := errors.AsType[*ss.Damage](err)
	if !ok {
		return err
	}
	if d.Frame.Key != nil && d.Frame.IsInternal() {
		r.ahead = ahead{set: true, spoiled: true, start: d.Offset, shard: d.Frame.Shard, seq: d.Frame.Seq}
		return nil
	}
	r.ahead, r.eos, r.upTo = ahead{}, false, d.Offset+d.Length
	if d.Frame.Key == nil {
		r.lookBack(d)
	}
	return d
}

// message joins e's frame with the envelope before it, if that is its own.
func (r *entries) message(e *entry) error {
	e.start = e.Pos
	if e.env.stream != nil { // the one before had an envelope
		e.env = envelope{}
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
	if bytes.Equal(a.env.stream, f.Key) {
		e.env, e.start = a.env, a.start
	}
	return nil
}

func (r *entries) internal(f *ss.Frame) {
	r.ahead = ahead{}
	if r.eos = f.IsEOS(); r.eos {
		return
	}
	if env, ok := parseEnvelope(f.Payload); ok {
		r.ahead = ahead{set: true, start: f.Pos, shard: f.Shard, seq: f.Seq, payload: f.Payload, env: env}
		return
	}
	r.upTo = f.End
	if r.declared != nil {
		if d, ok := parseDeclaration(f.Payload); ok {
			r.declared(d)
		}
	}
	if r.carried != nil {
		if items, ok := parseCarry(f.Payload); ok {
			r.carried(items)
		}
	}
}

// lookBack searches the end of unreadable bytes for the envelope of the message
// behind them: without it the message would come without its key, and nothing
// would know.
func (r *entries) lookBack(d *ss.Damage) {
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
