package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gostreamer/streamer/file"
	"github.com/gostreamer/streamer/internal/ndjson"
)

type decodeCmd struct {
	logArg
	Output     string `short:"o" enum:"log,ndjson,json" default:"log" help:"log and ndjson: every frame, as SeaStreamer's ss-decode prints it. json: every message, as consume -o json prints it."`
	HeaderOnly bool   `help:"Leave the payloads out (log, ndjson)."`
}

// Help is printed below the one line that the list of commands shows.
func (c *decodeCmd) Help() string {
	return "log prints a frame as [time | stream | number | shard] payload. Lines that start with # are the header and the beacons; <BINARY BLOB> is a payload that is not UTF-8. " +
		"ndjson has those lines as comments, and a payload that is JSON as JSON. json keeps every byte, key and header: produce -o json takes it. " +
		"Unreadable bytes are a warning, and exit code 1 at the end."
}

func (c *decodeCmd) Run(ctx context.Context, e *env) error {
	ctx, stop := e.watchOutput(ctx)
	defer stop()
	l, err := c.open(e)
	if err != nil {
		return err
	}
	p := dump{l: l, out: bufio.NewWriterSize(e.out, 64<<10), e: e, damage: damage{e: e}, comments: c.Output == "ndjson", bare: c.HeaderOnly}
	if c.Output == "json" {
		err = p.messages(ctx)
	} else {
		err = p.frames(ctx)
	}
	err = e.finish(ctx, errors.Join(err, p.out.Flush()), l)
	e.conclude("file decode", err, counted(p.printed, "frame")+" printed", false)
	return also(err, p.damage.err("file decode "+c.Path))
}

// dump prints a log.
type dump struct {
	l        *file.Log
	out      *bufio.Writer
	e        *env
	damage   damage
	comments bool // SeaStreamer's ndjson
	bare     bool

	beacon  int64 // the last that was printed
	printed int64
	buf     []byte
}

// frames prints the header, every frame, and the beacons that they cross.
func (d *dump) frames(ctx context.Context) error {
	if err := d.comment(dumpedHeader{d.l.Name(), stamp(d.l.Created()), d.l.BeaconInterval()}); err != nil {
		return err
	}
	for f, err := range d.l.Frames(ctx) {
		if c := isDamage(err); c != nil {
			d.damage.add(c)
			continue
		}
		if err != nil {
			return err
		}
		if err := d.frame(&f); err != nil {
			return err
		}
		d.count(f.End)
	}
	return nil
}

func (d *dump) frame(f *file.Frame) error {
	if err := d.line(f); err != nil {
		return err
	}
	n := (f.End - 1) / d.l.BeaconInterval()
	if n == d.beacon {
		return nil
	}
	d.beacon = n
	b, err := d.l.Beacon(n)
	if isDamage(err) != nil {
		return nil //nolint:nilerr // reading on reports it
	}
	if err != nil {
		return err
	}
	items := []dumpedItem{}
	for _, i := range b.Items {
		items = append(items, dumpedItem{dumpedMeta{i.Stream, i.Shard, i.Seq, stamp(i.Time)}, i.RunningChecksum})
	}
	return d.comment(items)
}

func (d *dump) line(f *file.Frame) error {
	if d.comments {
		return d.object(dumpedFrame{dumpedMeta{f.Stream, f.Shard, f.Seq, stamp(f.Time)}, d.payload(f.Payload)})
	}
	text := []byte(" <BINARY BLOB>")
	switch {
	case d.bare:
		text = nil
	case utf8.Valid(f.Payload):
		text = append([]byte{' '}, f.Payload...)
	}
	_, err := fmt.Fprintf(d.out, "[%s | %s | %d | %d]%s\n", stamp(f.Time), f.Stream, f.Seq, f.Shard, text)
	return err
}

// The shapes are ss-decode's.
type (
	dumpedHeader struct {
		FileName       string `json:"file_name"`
		CreatedAt      string `json:"created_at"`
		BeaconInterval int64  `json:"beacon_interval"`
	}
	dumpedMeta struct {
		Stream    string `json:"stream_key"`
		Shard     uint64 `json:"shard_id"`
		Seq       uint64 `json:"sequence"`
		Timestamp string `json:"timestamp"`
	}
	dumpedItem struct {
		Header  dumpedMeta `json:"header"`
		Running uint16     `json:"running_checksum"`
	}
	dumpedFrame struct {
		Header  dumpedMeta      `json:"header"`
		Payload json.RawMessage `json:"payload"`
	}
)

// payload is JSON as what it is, other text as a string, anything else as the
// numbers of its bytes.
func (d *dump) payload(p []byte) json.RawMessage {
	if d.bare {
		return json.RawMessage("null")
	}
	if v, ok := parsed(p); ok {
		return v
	}
	if utf8.Valid(p) {
		return encoded(string(p))
	}
	numbers := make([]int, len(p))
	for i, b := range p {
		numbers[i] = int(b)
	}
	return encoded(numbers)
}

// parsed is p if it is JSON, with the members of objects in order; numbers stay
// as they are written.
func parsed(p []byte) (json.RawMessage, bool) {
	if !json.Valid(p) || !utf8.Valid(p) {
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(p))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return nil, false
	}
	return encoded(v), true
}

func encoded(v any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		return json.RawMessage("null")
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// comment prints what is not a frame.
func (d *dump) comment(v any) error {
	shape := "# %s\n"
	if d.comments {
		shape = "/* %s */\n"
	}
	_, err := fmt.Fprintf(d.out, shape, encoded(v))
	return err
}

func (d *dump) object(v any) error {
	_, err := d.out.Write(append(encoded(v), '\n'))
	return err
}

// stamp is a time as ss-decode prints it: UTC without saying so, and at least
// one digit of its fraction.
func stamp(t time.Time) string {
	s := t.UTC().Format("2006-01-02T15:04:05.000")
	for strings.HasSuffix(s, "0") && !strings.HasSuffix(s, ".0") {
		s = s[:len(s)-1]
	}
	return s
}

// messages prints what a consumer would get, each with everything that it has.
func (d *dump) messages(ctx context.Context) error {
	for m, err := range d.l.Messages(ctx) {
		if c := isDamage(err); c != nil {
			d.damage.add(c)
			continue
		}
		if err != nil {
			return err
		}
		line := ndjson.Of(m)
		d.buf = append(ndjson.Append(d.buf[:0], &line), '\n')
		if _, err := d.out.Write(d.buf); err != nil {
			return err
		}
		d.count(d.l.At())
	}
	return nil
}

func (d *dump) count(at int64) {
	d.printed++
	d.e.advance(at)
}
