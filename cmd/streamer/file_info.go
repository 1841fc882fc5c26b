package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/gostreamer/streamer/file"
)

type infoCmd struct {
	logArg
	Output string `short:"o" enum:"text,json" default:"text" help:"text: columns. json: one JSON object per line."`
}

// Help is printed below the one line that the list of commands shows.
func (c *infoCmd) Help() string {
	return "It reads the whole log. MISSING are numbers that no message has. Damage is counted; verify says where it is."
}

type shownLog struct {
	Path     string `json:"path"`
	Name     string `json:"name"`
	Created  string `json:"created"`
	Size     int64  `json:"size"`
	Interval int64  `json:"beacon_interval"`
	verifiedLog
}

func (c *infoCmd) Run(ctx context.Context, e *env) error {
	l, err := c.open(e)
	if err != nil {
		return err
	}
	r, err := l.Verify(ctx, func(*file.CorruptionError) {}, e.advance)
	if err != nil {
		return e.finish(ctx, err, l)
	}
	out := bufio.NewWriter(e.out)
	t := shardTable(r)
	if c.Output == "json" {
		t.objects = append([]any{c.shown(l, r)}, t.objects...)
	} else {
		c.head(out, l, r)
	}
	return e.finish(ctx, errors.Join(t.print(out, c.Output == "json"), out.Flush()), l)
}

func (c *infoCmd) shown(l *file.Log, r *file.Report) shownLog {
	return shownLog{c.Path, l.Name(), stamp(l.Created()), l.Size(), l.BeaconInterval(),
		verifiedLog{r.Frames, r.Messages, r.Beacons, r.Damaged, r.DamagedBytes, r.Torn, r.Ended, r.EndedInside, r.Unsummed}}
}

func (c *infoCmd) head(out *bufio.Writer, l *file.Log, r *file.Report) {
	fmt.Fprintf(out, "log %s, made as %q on %s, a beacon every %s\n", c.Path, l.Name(), stamp(l.Created()), counted(l.BeaconInterval(), "byte"))
	fmt.Fprintf(out, "%s: %s, %s, %s\n", counted(l.Size(), "byte"), counted(r.Messages, "message"), counted(r.Frames, "frame"), counted(r.Beacons, "beacon"))
	if r.Damaged > 0 {
		fmt.Fprintf(out, "damaged: %s, %s\n", counted(r.Damaged, "range"), size(r.DamagedBytes))
	}
	for _, n := range notes(r) {
		fmt.Fprintln(out, n)
	}
}
