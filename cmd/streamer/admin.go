package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gostreamer/streamer"
)

// target is what the commands that manage streams have in common.
type target struct {
	URI    string `arg:"" name:"uri" help:"The backend, and streams where there are to be some, such as file:///data/log.ss/orders."`
	Output string `short:"o" enum:"text,json" default:"text" help:"text: columns. json: one JSON object per line."`
}

// manage opens the backend, runs f and prints what it put into the table, also
// before it failed: what create made is made.
func (t *target) manage(ctx context.Context, e *env, heads []string, f func(streamer.Admin, *table) error) error {
	s, err := e.connect(ctx, t.URI)
	if err != nil {
		return e.finish(ctx, err)
	}
	rows := &table{heads: heads}
	err = e.finish(ctx, f(s.Admin(), rows), s)
	return also(err, rows.print(e.out, t.Output == "json"))
}

// streams are those that the URI names, or every one there is.
func (t *target) streams(ctx context.Context, admin streamer.Admin) ([]string, error) {
	streams, err := streamsOf(t.URI)
	if err != nil || len(streams) > 0 {
		return streams, err
	}
	return admin.Streams(ctx, "")
}

// table is what a command prints, as columns or as JSON objects.
type table struct {
	heads   []string // nil: no line of heads
	rows    [][]string
	objects []any
}

func (t *table) add(object any, cells ...string) {
	t.rows = append(t.rows, cells)
	t.objects = append(t.objects, object)
}

func (t *table) print(w io.Writer, asJSON bool) error {
	out := bufio.NewWriter(w)
	if asJSON {
		return errors.Join(t.printJSON(out), out.Flush())
	}
	columns := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if t.heads != nil && len(t.rows) > 0 {
		fmt.Fprintln(columns, strings.Join(t.heads, "\t"))
	}
	for _, cells := range t.rows {
		fmt.Fprintln(columns, strings.Join(cells, "\t"))
	}
	return errors.Join(columns.Flush(), out.Flush())
}

func (t *table) printJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, o := range t.objects {
		if err := encoder.Encode(o); err != nil {
			return err
		}
	}
	return nil
}

// shardLag is one shard of a group in JSON; null where the backend cannot tell.
type shardLag struct {
	Shard    streamer.ShardID `json:"shard"`
	Messages *int64           `json:"messages"`
	Seconds  *float64         `json:"seconds"`
}

func newShardLag(l streamer.ShardLag) shardLag {
	lag := shardLag{Shard: l.Shard}
	if l.Messages >= 0 {
		lag.Messages = &l.Messages
	}
	// 0 is "cannot tell", unless there is nothing to be behind.
	if l.Time > 0 || l.Messages == 0 {
		s := l.Time.Seconds()
		lag.Seconds = &s
	}
	return lag
}

// cell is n, or "-" where the backend cannot tell.
func cell(n int64) string {
	if n < 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

func timeCell(l streamer.ShardLag) string {
	if l.Time <= 0 && l.Messages != 0 {
		return "-"
	}
	return l.Time.Round(time.Millisecond).String()
}

func seqCell(s streamer.SeqNo) string {
	if s.IsZero() {
		return "-"
	}
	return s.String()
}
