package main

import (
	"context"
	"fmt"

	"github.com/gostreamer/streamer"
)

type lagCmd struct {
	target
	Group string `short:"g" help:"Only this group (default the URI's, else all)."`
}

type listedLag struct {
	Stream string `json:"stream"`
	Group  string `json:"group"`
	shardLag
}

// Help is printed below the one line that the list of commands shows.
func (c *lagCmd) Help() string {
	return "BEHIND is the number of messages after the committed position and TIME the age of that position; \"-\" (null in JSON) means that the backend cannot tell. " +
		"It asks without joining a group, so it does not disturb any."
}

func (c *lagCmd) Run(ctx context.Context, e *env) error {
	group, err := c.group()
	if err != nil {
		return err
	}
	heads := []string{"STREAM", "SHARD", "GROUP", "BEHIND", "TIME"}
	return c.manage(ctx, e, heads, func(admin streamer.Admin, t *table) error {
		streams, err := c.streams(ctx, admin)
		if err != nil {
			return err
		}
		for _, stream := range streams {
			if err := addLag(ctx, t, admin, stream, group); err != nil {
				return err
			}
		}
		if group != "" && len(t.rows) == 0 {
			return fmt.Errorf("lag: group %q has no position here: %w", group, streamer.ErrNotFound)
		}
		return nil
	})
}

// group is the one to show, "" for all.
func (c *lagCmd) group() (string, error) {
	if c.Group != "" {
		return c.Group, nil
	}
	o, err := consumerOptions(c.URI)
	return o.Group, err
}

func addLag(ctx context.Context, t *table, admin streamer.Admin, stream, group string) error {
	groups, err := admin.Groups(ctx, stream)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if group != "" && g.Name != group {
			continue
		}
		for _, l := range g.Lag {
			t.add(listedLag{stream, g.Name, newShardLag(l)}, stream, l.Shard.String(), g.Name, cell(l.Messages), timeCell(l))
		}
	}
	return nil
}
