package file

import (
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// batch is messages picked out of a window, before they are copied out of it.
// Its memory is used again.
type batch struct {
	picked []picked
	envs   []logfile.Envelope
	shards []*shard // that have messages in it, in the order in which they come
	bytes  int      // of values, keys and header values
	names  int      // bytes of headers' names
	heads  int      // headers
}

// picked is one message. It has no pointers, so that collecting garbage does
// not look at it.
type picked struct {
	shard int32 // index into shards
	env   int32 // index into envs, or -1
	at    int   // where its payload starts in the window
	size  int   // of its payload
	time  uint64
	step  step
}

func (b *batch) add(sh *shard, e *logfile.Entry) {
	p := picked{env: -1, at: e.At, size: len(e.Payload), time: e.Time, step: step{e.Seq, e.Start, e.Pos}}
	if e.Env.Stream != nil {
		p.env = int32(len(b.envs))
		b.envs = append(b.envs, e.Env)
		b.bytes += e.Env.Size
		b.names += e.Env.Names
		b.heads += e.Env.Count
	}
	if sh.count == 0 {
		sh.slot = len(b.shards)
		b.shards = append(b.shards, sh)
	}
	p.shard = int32(sh.slot)
	sh.count++
	b.bytes += len(e.Payload)
	b.picked = append(b.picked, p)
}

// slab copies the messages out of the window: one allocation for the messages,
// one for all bytes and, if there are headers, one for those and one for their
// names. Messages of one shard lie together. The batch is empty afterwards.
func (b *batch) slab(window []byte) []streamer.Message {
	slab := make([]streamer.Message, len(b.picked))
	n := 0
	for _, sh := range b.shards {
		sh.slot, n = n, n+sh.count
		sh.count = 0
	}
	c := copier{buf: make([]byte, 0, b.bytes)}
	if b.heads > 0 {
		c.headers = make([]streamer.Header, 0, b.heads)
		c.names = b.allNames()
	}
	for i := range b.picked {
		p := &b.picked[i]
		sh := b.shards[p.shard]
		m := &slab[sh.slot]
		sh.slot++
		m.Stream, m.Shard, m.Seq, m.Time = sh.Stream, sh.Shard, streamer.SeqUint(p.step.seq), logfile.TimeOf(p.time)
		m.Value = c.bytes(window[p.at : p.at+p.size])
		if p.env >= 0 {
			c.open(m, &b.envs[p.env])
		}
	}
	b.clear()
	return slab
}

func (b *batch) clear() {
	clear(b.envs)
	clear(b.shards)
	*b = batch{picked: b.picked[:0], envs: b.envs[:0], shards: b.shards[:0]}
}

// allNames is the names of all headers in one string.
func (b *batch) allNames() string {
	var s strings.Builder
	s.Grow(b.names)
	for i := range b.envs {
		p := b.envs[i].Headers
		for range b.envs[i].Count {
			var name []byte
			name, p, _ = logfile.CutBytes(p)
			s.Write(name)
			_, p, _ = logfile.CutBytes(p)
		}
	}
	return s.String()
}

// copier copies bytes of a window into the memory of a slab.
type copier struct {
	buf     []byte
	headers []streamer.Header
	names   string // of the headers that are still to come
}

// bytes copies b; nil stays nil.
func (c *copier) bytes(b []byte) []byte {
	if b == nil {
		return nil
	}
	from := len(c.buf)
	c.buf = append(c.buf, b...)
	return c.buf[from:len(c.buf):len(c.buf)]
}

// open gives a message what its envelope has.
func (c *copier) open(m *streamer.Message, e *logfile.Envelope) {
	m.Key = c.bytes(e.Key)
	if e.NilValue {
		m.Value = nil
	}
	if e.Count == 0 {
		return
	}
	from, p := len(c.headers), e.Headers
	for range e.Count {
		var name, value []byte
		name, p, _ = logfile.CutBytes(p)
		value, p, _ = logfile.CutBytes(p)
		c.headers = append(c.headers, streamer.Header{Key: c.names[:len(name)], Value: c.bytes(value)})
		c.names = c.names[len(name):]
	}
	m.Headers = c.headers[from:len(c.headers):len(c.headers)]
}
