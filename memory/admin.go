package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
)

// Create implements streamer.Admin. 0 shards means Config.Shards.
func (b *backend) Create(ctx context.Context, name string, shards int) error {
	if err := b.enter(ctx, name); err != nil {
		return err
	}
	if shards == 0 {
		shards = b.cfg.Shards
	}
	if name == "" || shards < 0 || shards > MaxShards {
		return fmt.Errorf("%w: a stream has a name and 1 to %d shards", streamer.ErrInvalid, MaxShards)
	}
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	if b.log.streams[name] != nil {
		return &streamer.Error{Stream: name, Kind: streamer.ErrExists}
	}
	b.log.create(name, shards)
	return nil
}

// Delete implements streamer.Admin.
func (b *backend) Delete(ctx context.Context, name string) error {
	return b.look(ctx, name, func(st *stream) error {
		b.log.remove(st)
		return nil
	})
}

// look runs f on a stream with mu held.
func (b *backend) look(ctx context.Context, name string, f func(*stream) error) error {
	if err := b.enter(ctx, name); err != nil {
		return err
	}
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	st := b.log.streams[name]
	if st == nil {
		return notFound(name)
	}
	return f(st)
}

// Describe implements streamer.Admin.
func (b *backend) Describe(ctx context.Context, name string) (info streamer.StreamInfo, err error) {
	info.Name = name
	err = b.look(ctx, name, func(st *stream) error {
		for _, sh := range st.shards {
			info.Shards = append(info.Shards, streamer.ShardInfo{
				ID: sh.id, First: streamer.SeqUint(sh.first), Next: streamer.SeqUint(sh.next), Open: true,
			})
		}
		return nil
	})
	return info, err
}

// Streams implements streamer.Admin.
func (b *backend) Streams(ctx context.Context, prefix string) ([]string, error) {
	if err := b.enter(ctx); err != nil {
		return nil, err
	}
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	names := slices.Sorted(maps.Keys(b.log.streams))
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, prefix) }), nil
}

// Groups implements streamer.Admin.
func (b *backend) Groups(ctx context.Context, name string) (groups []streamer.GroupInfo, err error) {
	err = b.look(ctx, name, func(st *stream) error {
		now := time.Now()
		for _, group := range slices.Sorted(maps.Keys(st.groups)) {
			info := streamer.GroupInfo{Name: group, Members: b.log.membersOn(name, group)}
			for i, sh := range st.shards {
				if pl := &st.groups[group].places[i]; pl.set {
					info.Lag = append(info.Lag, sh.lag(pl.committed(), pl.lag(sh), now))
				}
			}
			groups = append(groups, info)
		}
		return nil
	})
	for i := range groups {
		// Members that are dealt to share one source.
		groups[i].Members = max(groups[i].Members, b.log.deals.Members(name, groups[i].Name))
	}
	return groups, err
}

// membersOn counts the sources that read the stream for a group. mu is held.
func (l *Log) membersOn(stream, group string) int {
	if g := l.groups[group]; g != nil {
		return g.membersOn(stream)
	}
	return 0
}

// ResetGroup implements streamer.Admin. An Each moves only the shards that it
// names.
func (b *backend) ResetGroup(ctx context.Context, name, group string, to streamer.Position) error {
	return b.look(ctx, name, func(st *stream) error {
		p, err := b.log.idleProgress(st, group)
		if err != nil {
			return err
		}
		if k := to.Kind(); len(st.shards) > 1 && (k == streamer.AtSeq || k == streamer.AfterSeq) {
			return fmt.Errorf("%w position: the stream has several shards: use Each", streamer.ErrInvalid)
		}
		next := map[streamer.ShardID]uint64{}
		for _, sh := range st.shards {
			at, ok := to.Of(sh.at())
			if !ok || at.Kind() == streamer.AtCommitted {
				continue
			}
			if next[sh.id], err = sh.resolve(at); err != nil {
				return err
			}
		}
		for id, seq := range next {
			p.commit(id, seq)
		}
		return nil
	})
}

// DeleteGroup implements streamer.Admin.
func (b *backend) DeleteGroup(ctx context.Context, name, group string) error {
	return b.look(ctx, name, func(st *stream) error {
		if _, err := b.log.idleProgress(st, group); err != nil {
			return err
		}
		delete(st.groups, group)
		return nil
	})
}

// idleProgress is how far a group without members has come: ErrBusy,
// ErrNotFound. mu is held.
func (l *Log) idleProgress(st *stream, group string) (*progress, error) {
	if n := l.membersOn(st.name, group); n > 0 {
		return nil, &streamer.Error{Stream: st.name, Kind: streamer.ErrBusy, Err: fmt.Errorf("group %q has members", group)}
	}
	p := st.groups[group]
	if p == nil {
		return nil, noGroup(st.name, group)
	}
	return p, nil
}
