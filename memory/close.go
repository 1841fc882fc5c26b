package memory

import (
	"context"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// Close implements driver.Source.
func (s *source) Close(ctx context.Context) error {
	s.log.mu.Lock()
	if s.closed {
		s.log.mu.Unlock()
		return nil
	}
	s.closed = true
	s.signal()
	settled := s.settling
	s.log.mu.Unlock()

	var err error
	if settled != nil {
		select {
		case <-settled:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	s.log.mu.Lock()
	shards := s.reading()
	s.log.mu.Unlock()
	back := s.neverHandedOut(shards)
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if s.group != nil {
		s.group.restore()
	}
	s.reopen(back)
	s.log.leave(s)
	s.left = true
	for _, sub := range s.subs {
		sub.vacate()
	}
	delete(s.log.sources, s)
	return err
}

// neverHandedOut lists, where messages were acknowledged ahead of delivery one
// by one, what the program has not seen. A position is the engine's to take
// back.
func (s *source) neverHandedOut(shards []streamer.StreamShard) []driver.Acked {
	if !s.cfg.AtMostOnce || s.group == nil || s.group.acks != ByMessage {
		return nil
	}
	var all []driver.Acked
	for _, at := range shards {
		a := driver.Acked{StreamShard: at}
		for seq, handedOut := range s.cfg.InFlight(at) {
			if !handedOut {
				a.Seqs = append(a.Seqs, seq)
			}
		}
		if len(a.Seqs) > 0 {
			all = append(all, a)
		}
	}
	return all
}

// reopen takes back that these were done. mu is held.
func (s *source) reopen(back []driver.Acked) {
	for _, a := range back {
		sub := s.subs[a.Stream]
		if !sub.owns(a.Shard) {
			continue
		}
		w := sub.window(a.Shard)
		for _, seq := range a.Seqs {
			w.reopen(seq.Uint())
		}
		sub.stream.shards[a.Shard].offer()
	}
}
