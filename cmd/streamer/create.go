package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/gostreamer/streamer"
)

type createCmd struct {
	target
	Shards *int `short:"s" placeholder:"N" help:"Shards of each stream: the URI's shards=N, else 1."`
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
	}
	shards, err := c.shards()
	if err != nil {
		return err
	}
	heads := []string{"STREAM", "SHARD", "FIRST", "NEXT", "STATE"}
	return c.manage(ctx, e, heads, func(admin streamer.Admin, t *table) error {
		for _, stream := range streams {
			if err := admin.Create(ctx, stream, shards); err != nil {
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

// shards is how many to make. The flag and the URI's option mean the same, so
// that what is made is also described by the number that it has.
func (c *createCmd) shards() (int, error) {
	u, err := streamer.ParseURI(c.URI)
	if err != nil {
		return 0, err
	}
	said := u.Query.Get("shards")
	switch {
	case c.Shards == nil:
		if n, err := strconv.Atoi(said); err == nil {
			return n, nil // what else it says, or a number that cannot be, the backend knows
		}
		return 1, nil
	case *c.Shards < 1:
		return 0, usageError{fmt.Errorf("--shards=%d: want 1 or more", *c.Shards)}
	case said == "" && *c.Shards > 1 && !isStdio(c.URI):
		c.URI = withOption(c.URI, "shards", strconv.Itoa(*c.Shards))
	}
	return *c.Shards, nil
}
