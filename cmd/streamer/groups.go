package main

import (
	"context"

	"github.com/gostreamer/streamer"
)

type groupsCmd struct{ target }

type listedGroup struct {
	Stream   string     `json:"stream"`
	Group    string     `json:"group"`
	Members  *int       `json:"members"`
	Messages *int64     `json:"messages"`
	Shards   []shardLag `json:"shards"`
}

// Help is printed below the one line that the list of commands shows.
func (c *groupsCmd) Help() string {
	return "BEHIND is the number of messages after the committed position, over all shards; \"-\" (null in JSON) means that the backend cannot tell. " +
		"Without a stream in the URI, the groups of every stream are listed."
}

func (c *groupsCmd) Run(ctx context.Context, e *env) error {
	heads := []string{"STREAM", "GROUP", "MEMBERS", "BEHIND"}
	return c.manage(ctx, e, heads, func(admin streamer.Admin, t *table) error {
		streams, err := c.streams(ctx, admin)
		if err != nil {
			return err
		}
		for _, stream := range streams {
			groups, err := admin.Groups(ctx, stream)
			if err != nil {
				return err
			}
			for _, g := range groups {
				behind := messages(g.Lag)
				t.add(newListedGroup(stream, g, behind), stream, g.Name, cell(int64(g.Members)), cell(behind))
			}
		}
		return nil
	})
}

func newListedGroup(stream string, g streamer.GroupInfo, behind int64) listedGroup {
	l := listedGroup{Stream: stream, Group: g.Name, Shards: []shardLag{}}
	if g.Members >= 0 {
		l.Members = &g.Members
	}
	if behind >= 0 {
		l.Messages = &behind
	}
	for _, lag := range g.Lag {
		l.Shards = append(l.Shards, newShardLag(lag))
	}
	return l
}

// messages is how far all shards are behind together, -1 when one cannot tell.
func messages(lag []streamer.ShardLag) (n int64) {
	for _, l := range lag {
		if l.Messages < 0 {
			return -1
		}
		n += l.Messages
	}
	return n
}
