package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// idle returns the positions of a group that is not in use: ErrNotFound,
// ErrBusy.
func (b *backend) idle(ctx context.Context, stream, group string) (topic, map[streamer.StreamShard]place, error) {
	t, err := b.existing(ctx, stream)
	if err != nil {
		return t, nil, err
	}
	if err := checkGroup(group); err != nil {
		return t, nil, err
	}
	places, err := b.committed(ctx, group, []string{stream})
	if err != nil {
		return t, nil, err
	}
	n, err := b.members(ctx, group, places)
	switch {
	case err != nil && !errors.Is(err, streamer.ErrNotFound):
		return t, nil, err
	case n > 0:
		return t, nil, busy(stream, group)
	case len(places) == 0:
		return t, nil, &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound, Err: fmt.Errorf("group %q has no position in topic %q", group, stream)}
	}
	return t, places, nil
}

func busy(stream, group string) error {
	return &streamer.Error{Stream: stream, Kind: streamer.ErrBusy, Err: fmt.Errorf("group %q is in use", group)}
}

// ResetGroup implements streamer.Admin. An Each moves only the shards that it
// names.
func (b *backend) ResetGroup(ctx context.Context, stream, group string, to streamer.Position) error {
	t, _, err := b.idle(ctx, stream, group)
	if err != nil {
		return err
	}
	if k := to.Kind(); t.shards > 1 && (k == streamer.AtSeq || k == streamer.AfterSeq) {
		return fmt.Errorf("%w position: the stream has several shards: use Each", streamer.ErrInvalid)
	}
	want := make(map[streamer.StreamShard]streamer.Position)
	for _, at := range t.each() {
		if p, ok := to.Of(at); ok && p.Kind() != streamer.AtCommitted {
			want[at] = p
		}
	}
	ends, left, err := b.bounds(ctx, slices.Collect(maps.Keys(want)))
	if err != nil {
		return err
	}
	for at, err := range left {
		return onShard(at, err)
	}
	offsets, err := b.resolve(ctx, want, ends)
	if err != nil {
		return err
	}
	places := make(map[streamer.StreamShard]place, len(offsets))
	for at, start := range offsets {
		places[at] = place{position: start}
	}
	err = retryWhileLoading(ctx, func() error { return b.commit(ctx, alone(group), map[string]topic{stream: t}, places) })
	if isMemberError(err) {
		return busy(stream, group)
	}
	return b.explain(ctx, err)
}

// DeleteGroup implements streamer.Admin. A group without any position left is
// deleted as a whole.
func (b *backend) DeleteGroup(ctx context.Context, stream, group string) error {
	_, places, err := b.idle(ctx, stream, group)
	if err != nil {
		return err
	}
	set := make(kadm.TopicsSet)
	for at := range places {
		set.Add(at.Stream, partitionOf(at.Shard))
	}
	var deleted kadm.DeleteOffsetsResponses
	err = retryWhileLoading(ctx, func() (err error) {
		if deleted, err = b.adm.DeleteOffsets(ctx, group, set); err == nil {
			err = deleted.Error()
		}
		return err
	})
	if err != nil {
		return b.explain(ctx, err)
	}
	left, err := b.adm.FetchOffsets(ctx, group)
	if err != nil || len(left) > 0 {
		return nil //nolint:nilerr // the positions are gone, which was asked for
	}
	if _, err := b.adm.DeleteGroup(ctx, group); err != nil && !errors.Is(err, kerr.GroupIDNotFound) && !errors.Is(err, kerr.NonEmptyGroup) {
		return b.explain(ctx, err)
	}
	return nil
}
