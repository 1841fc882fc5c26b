// Package memoryharness is the memory backend's harness for the conformance
// suite. The backend's own test uses it, and so does the test of the suite,
// which breaks the backend in one way after the other.
package memoryharness

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
	"github.com/gostreamer/streamer/memory"
)

// New describes one of the four configurations.
func New(acks memory.Acks, groups memory.Groups) conformance.Harness {
	h := conformance.Harness{
		Name:       fmt.Sprintf("memory acks=%v groups=%s", acks, [...]string{"native", "dealt"}[groups]),
		Backend:    "memory",
		Open:       func(t testing.TB, p conformance.Plan) *conformance.Place { return open(t, p, acks, groups) },
		Without:    []conformance.Part{conformance.Restart, conformance.WrongType, conformance.Killing, conformance.Secrets},
		PerMessage: acks == memory.ByMessage,
		Groups:     conformance.Dealt,
		Pauses:     true,
		EmptyKeys:  true,
		Largest:    memory.MaxRecordBytes,
		Highest:    streamer.SeqUint(1<<64 - 1),
		Bad:        badShard,
	}
	if groups == memory.Native {
		h.Groups = conformance.Owned
		if acks == memory.ByMessage {
			h.Groups = conformance.Shared
		}
	}
	return h
}

// badShard names a shard that no case has.
func badShard(r streamer.Record) streamer.Record {
	missing := streamer.ShardID(memory.MaxShards)
	r.Shard = &missing
	return r
}

// place is a log of one case.
type place struct {
	testing.TB
	log    *memory.Log
	config memory.Config
	admin  streamer.Admin
	mend   func() // ends the fault in force
}

func open(t testing.TB, plan conformance.Plan, acks memory.Acks, groups memory.Groups) *conformance.Place {
	name := uuid.NewString()
	p := &place{TB: t, log: memory.Open(name), config: memory.Config{Log: name, Shards: plan.Shards, Acks: acks, Groups: groups}}
	s, err := p.connect(t.Context(), streamer.StreamerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		memory.Drop(name)
	})
	p.admin = s.Admin()
	made := &conformance.Place{Connect: p.connect, Faults: p.faults()}
	for i := range plan.Streams {
		made.Streams = append(made.Streams, fmt.Sprintf("stream-%d", i))
		p.create(made.Streams[i])
	}
	return made
}

func (p *place) connect(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
	return memory.Connect(ctx, p.config, o)
}

func (p *place) faults() conformance.Faults {
	return conformance.Faults{
		Cut:  func() { p.mend = p.log.Disconnect() },
		Mend: func() { p.mend() },
		Slow: p.slow,
		Trim: func(s streamer.StreamShard, upTo streamer.SeqNo) {
			p.must(p.log.Trim(s, streamer.SeqUint(upTo.Uint()+1)))
		},
		Poison: func(s streamer.StreamShard) streamer.StreamShard {
			_, err := p.log.AppendUndecodable(s)
			p.must(err)
			return s
		},
		AddShard: func(stream string) streamer.ShardID {
			id, err := p.log.AddShard(stream)
			p.must(err)
			return id
		},
		Delete: func(stream string) { p.must(p.admin.Delete(context.Background(), stream)) },
		Create: p.create,
		Always: func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
			c := p.config
			c.Create = streamer.CreateAlways
			return memory.Connect(ctx, c, o)
		},
		DropGroup: func(stream, group string) { p.must(p.log.Forget(stream, group)) },
		Lose:      func(_, group string) { p.must(p.log.Expel(group, "")) },
		Deny:      p.deny,
		Missing: func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, string, error) {
			s, err := p.connect(ctx, o)
			return s, "missing", err
		},
	}
}

func (p *place) create(stream string) {
	p.must(p.admin.Create(context.Background(), stream, p.config.Shards))
}

func (p *place) slow(delay time.Duration) {
	if delay == 0 {
		p.mend()
		return
	}
	p.mend = p.log.Inject(memory.Fault{Delay: delay})
}

func (p *place) deny(denied bool) {
	if !denied {
		p.mend()
		return
	}
	p.mend = p.log.Inject(memory.Fault{Err: streamer.ErrDenied})
}

func (p *place) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}
