package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file"
)

type verifyCmd struct {
	logArg
	Output string `short:"o" enum:"text,json" default:"text" help:"text: columns. json: one JSON object per line."`
}

// Help is printed below the one line that the list of commands shows.
func (c *verifyCmd) Help() string {
	return "It names every range of bytes that is unreadable or wrong, then counts what is in each shard. MISSING are numbers that no message has. " +
		"The exit code is 1 when anything is damaged. The end of a log after a crash, or beside a running writer, is reported and is no damage: the next writer cuts it off."
}

func (c *verifyCmd) Run(ctx context.Context, e *env) error {
	ctx, stop := e.watchOutput(ctx)
	defer stop()
	l, err := c.open(e)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(e.out)
	d := damage{e: e, out: out}
	found := d.add
	if c.Output == "json" {
		found = func(r *file.CorruptionError) {
			d.ranges++
			d.bytes += r.Length
			_, _ = out.Write(append(encoded(damagedRange{r.Offset, r.Length, r.Err.Error()}), '\n'))
		}
	}
	r, err := l.Verify(ctx, found, e.advance)
	if err == nil {
		err = c.print(out, r)
	}
	err = e.finish(ctx, errors.Join(err, out.Flush()), l)
	return also(err, d.err("file verify "+c.Path))
}

type damagedRange struct {
	Offset int64  `json:"damaged"`
	Length int64  `json:"length"`
	Cause  string `json:"cause"`
}

// countedShard is one shard in JSON.
type countedShard struct {
	Stream   string           `json:"stream"`
	Shard    streamer.ShardID `json:"shard"`
	First    uint64           `json:"first"`
	Last     uint64           `json:"last"`
	Messages int64            `json:"messages"`
	Bytes    int64            `json:"bytes"`
	Missing  int64            `json:"missing"`
	Oldest   string           `json:"oldest"`
	Latest   string           `json:"latest"`
}

func shardTable(r *file.Report) *table {
	t := &table{heads: []string{"STREAM", "SHARD", "FIRST", "LAST", "MESSAGES", "BYTES", "MISSING"}}
	for _, s := range r.Shards {
		t.add(countedShard{s.Stream, s.Shard, s.First.Uint(), s.Last.Uint(), s.Messages, s.Bytes, s.Missing, stamp(s.Oldest), stamp(s.Latest)},
			s.Stream, s.Shard.String(), seqCell(s.First), seqCell(s.Last), cell(s.Messages), cell(s.Bytes), cell(s.Missing))
	}
	return t
}

type verifiedLog struct {
	Frames      int64 `json:"frames"`
	Messages    int64 `json:"messages"`
	Beacons     int64 `json:"beacons"`
	Damaged     int64 `json:"damaged_ranges"`
	Bytes       int64 `json:"damaged_bytes"`
	Torn        int64 `json:"torn_bytes"`
	Ended       bool  `json:"ended"`
	EndedInside int64 `json:"ended_inside"`
	Unsummed    int64 `json:"unsummed"`
}

func (c *verifyCmd) print(out *bufio.Writer, r *file.Report) error {
	t := shardTable(r)
	if c.Output == "json" {
		t.objects = append(t.objects, verifiedLog{r.Frames, r.Messages, r.Beacons, r.Damaged, r.DamagedBytes, r.Torn, r.Ended, r.EndedInside, r.Unsummed})
		return t.print(out, true)
	}
	for _, n := range notes(r) {
		fmt.Fprintln(out, n)
	}
	if err := t.print(out, false); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s, %s, %s\n", counted(r.Messages, "message"), counted(r.Frames, "frame"), counted(r.Beacons, "beacon"))
	return err
}

// notes are what is worth knowing and no damage.
func notes(r *file.Report) (lines []string) {
	if r.Torn > 0 {
		lines = append(lines, fmt.Sprintf("torn: %s at the end make no frame; the next writer cuts them off", counted(r.Torn, "byte")))
	}
	if r.EndedInside > 0 {
		lines = append(lines, fmt.Sprintf("note: %s before the end; readers pass over them", counted(r.EndedInside, "end of stream")))
	}
	if r.Unsummed > 0 {
		lines = append(lines, fmt.Sprintf("note: %s in beacons; SeaStreamer writes such when it opens a log again", counted(r.Unsummed, "wrong running checksum")))
	}
	if r.Ended {
		lines = append(lines, "ended: the last frame is an end of stream")
	}
	return lines
}
