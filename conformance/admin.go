package conformance

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
)

func adminCases() []testCase {
	managing, lagging := []Part{Managing}, []Part{Lagging}
	return []testCase{
		{name: "describe", needs: managing, run: describe},
		{name: "create-and-list", needs: managing, run: createAndList},
		{name: "delete", needs: append(managing, Deleting), run: deleteStream},
		{name: "groups", needs: append(managing, Resuming), run: groups},
		{name: "reset-group", needs: append(managing, Resuming), run: resetGroup},
		{name: "delete-group", needs: append(managing, Resuming), run: deleteGroup},
		{name: "lag/realtime", needs: lagging, run: lagRealtime},
		{name: "lag/resumable", needs: append(lagging, Resuming), run: func(b *bed) { lagGroup(b, b.resumable()) }},
		{name: "lag/load-balanced", needs: append(lagging, Resuming), run: func(b *bed) { lagGroup(b, b.balanced()) }},
		{name: "lag/trimmed-resumable", needs: append(lagging, Managing, Resuming, Trimming), run: func(b *bed) { trimmedLag(b, b.resumable()) }},
		{name: "lag/trimmed-load-balanced", needs: append(lagging, Managing, Resuming, Trimming), run: func(b *bed) { trimmedLag(b, b.balanced()) }},
		{name: "ping", run: ping},
	}
}

// asks runs an Admin call under the limit.
func asks[R any](b *bed, what string, call func(ctx context.Context) (R, error)) R {
	b.Helper()
	ctx, cancel := b.limit()
	defer cancel()
	r, err := call(ctx)
	if err != nil {
		b.Fatalf("%s: %v", what, err)
	}
	return r
}

// refuses runs an Admin call that must fail in one way.
func (b *bed) refuses(what string, sentinel error, call func(ctx context.Context) error) {
	b.Helper()
	ctx, cancel := b.limit()
	defer cancel()
	b.is(what, call(ctx), sentinel)
}

func (b *bed) info() map[streamer.ShardID]streamer.ShardInfo {
	b.Helper()
	info := asks(b, "Describe", func(ctx context.Context) (streamer.StreamInfo, error) {
		return b.streamer().Admin().Describe(ctx, b.place.Streams[0])
	})
	if info.Name != b.place.Streams[0] {
		b.Errorf("Describe of %q is about %q", b.place.Streams[0], info.Name)
	}
	shards := make(map[streamer.ShardID]streamer.ShardInfo)
	for _, s := range info.Shards {
		shards[s.ID] = s
	}
	return shards
}

func describe(b *bed) {
	const shards = 3
	b.open(Plan{Shards: shards})
	for id, s := range b.info() {
		if s.First != s.Next || !s.Open {
			b.Errorf("empty shard %d: %+v", id, s)
		}
	}
	metas := b.sendN(0, 10, shards-1) // the last one stays empty
	info := b.info()
	if len(info) != shards {
		b.Fatalf("Describe lists %d shards, want %d: %+v", len(info), shards, info)
	}
	for i, s := range []streamer.ShardInfo{info[0], info[1]} {
		last := metas[8+i].Seq
		if s.First != metas[i].Seq {
			b.Errorf("First of shard %d is %v, want %v", i, s.First, metas[i].Seq)
		}
		if known := !b.lacks(NextKnown); known == s.Next.IsZero() || (known && s.Next.Compare(last) <= 0) {
			b.Errorf("Next of shard %d is %v, its last message is %v", i, s.Next, last)
		}
	}
	if s := info[2]; s.First != s.Next {
		b.Errorf("empty shard 2: %+v", s)
	}
	b.refuses("Describe of a missing stream", streamer.ErrNotFound, func(ctx context.Context) error {
		_, err := b.streamer().Admin().Describe(ctx, "missing-"+uuid.NewString())
		return err
	})
}

func createAndList(b *bed) {
	b.open(Plan{})
	a := b.streamer().Admin()
	prefix := "new-" + uuid.NewString()[:8] + "-"
	names := []string{prefix + "a", prefix + "b", prefix + "c"}
	for _, i := range []int{2, 0, 1} {
		asks(b, "Create", func(ctx context.Context) (any, error) { return nil, a.Create(ctx, names[i], 1) })
	}
	b.refuses("Create of a stream that exists", streamer.ErrExists, func(ctx context.Context) error { return a.Create(ctx, names[0], 1) })
	b.refuses("Create without a name", streamer.ErrInvalid, func(ctx context.Context) error { return a.Create(ctx, "", 1) })
	list := asks(b, "Streams", func(ctx context.Context) ([]string, error) { return a.Streams(ctx, prefix) })
	same(b, "Streams", list, names)
	all := asks(b, "Streams", func(ctx context.Context) ([]string, error) { return a.Streams(ctx, "") })
	for _, name := range append(names, b.place.Streams[0]) {
		if !slices.Contains(all, name) {
			b.Errorf("Streams does not list %q: %q", name, all)
		}
	}
	o := b.realtime()
	o.Streams = names[:1]
	c := b.consumer(o)
	b.send(b.producer(), streamer.Record{Stream: names[0], Value: value(0)})
	b.expect(c, 0)
}

func deleteStream(b *bed) {
	b.open(Plan{})
	a := b.streamer().Admin()
	b.sendN(0, 3, 1)
	name := b.place.Streams[0]
	asks(b, "Delete", func(ctx context.Context) (any, error) { return nil, a.Delete(ctx, name) })
	b.refuses("Describe of a deleted stream", streamer.ErrNotFound, func(ctx context.Context) error {
		_, err := a.Describe(ctx, name)
		return err
	})
	b.refuses("Delete of a deleted stream", streamer.ErrNotFound, func(ctx context.Context) error { return a.Delete(ctx, name) })
	_, err := b.tryConsumer(b.streamer(), b.realtime())
	b.is("a consumer of a deleted stream", err, streamer.ErrNotFound)
}
