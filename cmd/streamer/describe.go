package main

import (
	"context"

	"github.com/gostreamer/streamer"
)

type describeCmd struct{ target }

type describedStream struct {
	Stream string           `json:"stream"`
	Shards []describedShard `json:"shards"`
}

// describedShard leaves out numbers that the backend does not know.
type describedShard struct {
	Shard streamer.ShardID `json:"shard"`
	First streamer.SeqNo   `json:"first,omitzero"`
	Next  streamer.SeqNo   `json:"next,omitzero"`
	Open  bool             `json:"open"`
	Error string           `json:"error,omitempty"`
}

// Help is printed below the one line that the list of commands shows.
func (c *describeCmd) Help() string {
	return "FIRST is the number of the oldest message, NEXT that of the next message; they are equal when the shard is empty. A closed shard takes no more messages. " +
		"STATE says why a shard does not answer while others do. " +
		"Without a stream in the URI, every stream is shown."
}

func (c *describeCmd) Run(ctx context.Context, e *env) error {
	heads := []string{"STREAM", "SHARD", "FIRST", "NEXT", "STATE"}
	return c.manage(ctx, e, heads, func(admin streamer.Admin, t *table) error {
		streams, err := c.streams(ctx, admin)
		if err != nil {
			return err
		}
		for _, stream := range streams {
			info, err := admin.Describe(ctx, stream)
			if err != nil {
				return err
			}
			addStream(t, info)
		}
		return nil
	})
}

// addStream adds one row for each shard and one object for the stream.
func addStream(t *table, info streamer.StreamInfo) {
	d := describedStream{Stream: info.Name, Shards: []describedShard{}}
	for _, s := range info.Shards {
		one := describedShard{Shard: s.ID, First: s.First, Next: s.Next, Open: s.Open}
		state := "closed"
		switch {
		case s.Err != nil:
			one.Error, state = s.Err.Error(), s.Err.Error()
		case s.Open:
			state = "open"
		}
		d.Shards = append(d.Shards, one)
		t.rows = append(t.rows, []string{info.Name, s.ID.String(), seqCell(s.First), seqCell(s.Next), state})
	}
	t.objects = append(t.objects, d)
}
