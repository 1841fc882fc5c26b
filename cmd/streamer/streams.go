package main

import (
	"context"

	"github.com/gostreamer/streamer"
)

type streamsCmd struct {
	target
	Prefix string `short:"p" help:"Only streams whose name starts so."`
}

type listedStream struct {
	Stream string `json:"stream"`
}

func (c *streamsCmd) Run(ctx context.Context, e *env) error {
	return c.manage(ctx, e, nil, func(admin streamer.Admin, t *table) error {
		streams, err := admin.Streams(ctx, c.Prefix)
		for _, s := range streams {
			t.add(listedStream{s}, s)
		}
		return err
	})
}
