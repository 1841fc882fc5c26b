package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gostreamer/streamer"
)

type createCmd struct {
	target
	Shards int `short:"s" default:"1" placeholder:"N" help:"Shards of each stream (1)."`
}

// Help is printed below the one line that the list of commands shows.
func (c *createCmd) Help() string {
	return "It prints what it made, as describe does. A stream that exists is an error with exit code 7."
}

func (c *createCmd) Run(ctx context.Context, e *env) error {
	streams, err := streamsOf(c.URI)
	switch {
	case err != nil:
		return err
	case len(streams) == 0:
		return usageError{errors.New("create: the URI names no stream")}
	case c.Shards < 1:
		return usageError{fmt.Errorf("--shards=%d: want 1 or more", c.Shards)}
	}
	heads := []string{"STREAM", "SHARD", "FIRST", "NEXT", "STATE"}
	return c.manage(ctx, e, heads, func(admin streamer.Admin, t *table) error {
		for _, stream := range streams {
			if err := admin.Create(ctx, stream, c.Shards); err != nil {
				return err
			}
			info, err := admin.Describe(ctx, stream)
			if err != nil {
				return err
			}
			addStream(t, info)
		}
		return nil
	})
}
