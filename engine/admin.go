package engine

import (
	"context"
	"fmt"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/engine/internal/boundary"
	"github.com/gostreamer/streamer/engine/internal/options"
)

// admin is the Admin of every Streamer. It adds to errors where they happened,
// and is ErrUnsupported where the backend has no administration.
type admin struct {
	backend string
	b       streamer.Admin // nil: nothing of it
	closed  func() bool
}

func (a *admin) check(ctx context.Context, op, stream string, name bool) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case a.closed():
		return boundary.Wrap(op, a.backend, stream, streamer.ErrClosed)
	case a.b == nil:
		return boundary.Wrap(op, a.backend, stream, streamer.ErrUnsupported)
	case name && stream == "":
		return boundary.Wrap(op, a.backend, "", fmt.Errorf("the stream's name is empty: %w", streamer.ErrInvalid))
	}
	return nil
}

func (a *admin) Create(ctx context.Context, stream string, shards int) error {
	if err := a.check(ctx, "create", stream, true); err != nil {
		return err
	}
	if shards < 1 {
		return boundary.Wrap("create", a.backend, stream, boundary.Invalid("%d shards, want at least 1", shards))
	}
	return boundary.WrapFor(ctx, "create", a.backend, stream, a.b.Create(ctx, stream, shards))
}

func (a *admin) Delete(ctx context.Context, stream string) error {
	if err := a.check(ctx, "delete", stream, true); err != nil {
		return err
	}
	return boundary.WrapFor(ctx, "delete", a.backend, stream, a.b.Delete(ctx, stream))
}

func (a *admin) Describe(ctx context.Context, stream string) (streamer.StreamInfo, error) {
	if err := a.check(ctx, "describe", stream, true); err != nil {
		return streamer.StreamInfo{}, err
	}
	info, err := a.b.Describe(ctx, stream)
	return info, boundary.WrapFor(ctx, "describe", a.backend, stream, err)
}

func (a *admin) Streams(ctx context.Context, prefix string) ([]string, error) {
	if err := a.check(ctx, "streams", prefix, false); err != nil {
		return nil, err
	}
	names, err := a.b.Streams(ctx, prefix)
	return names, boundary.WrapFor(ctx, "streams", a.backend, prefix, err)
}

func (a *admin) Groups(ctx context.Context, stream string) ([]streamer.GroupInfo, error) {
	if err := a.check(ctx, "groups", stream, true); err != nil {
		return nil, err
	}
	groups, err := a.b.Groups(ctx, stream)
	return groups, boundary.WrapFor(ctx, "groups", a.backend, stream, err)
}

func (a *admin) ResetGroup(ctx context.Context, stream, group string, to streamer.Position) error {
	if err := a.check(ctx, "reset group", stream, true); err != nil {
		return err
	}
	if err := options.CheckPosition(to); err != nil {
		return boundary.Wrap("reset group", a.backend, stream, err)
	}
	return boundary.WrapFor(ctx, "reset group", a.backend, stream, a.b.ResetGroup(ctx, stream, group, to))
}

func (a *admin) DeleteGroup(ctx context.Context, stream, group string) error {
	if err := a.check(ctx, "delete group", stream, true); err != nil {
		return err
	}
	return boundary.WrapFor(ctx, "delete group", a.backend, stream, a.b.DeleteGroup(ctx, stream, group))
}
