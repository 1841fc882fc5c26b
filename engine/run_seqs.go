package engine

import "github.com/gostreamer/streamer"

// seqs are the sequence numbers of a run. Most backends count, and then the
// first number is enough.
type seqs struct {
	first streamer.SeqNo
	list  []streamer.SeqNo // nil: each is one more than the one before
}

func oneSeq(n streamer.SeqNo) seqs { return seqs{first: n} }

func (s *seqs) at(i int) streamer.SeqNo {
	if s.list != nil {
		return s.list[i]
	}
	if i == 0 {
		return s.first
	}
	return streamer.SeqUint(s.first.Uint() + uint64(i)) //nolint:gosec // see inARow
}

// inARow says whether the messages are numbered without a gap.
func inARow(part []streamer.Message) bool {
	n := part[0].Seq.Uint()
	for i := 1; i < len(part); i++ {
		if n++; part[i].Seq != streamer.SeqUint(n) {
			return false
		}
	}
	return len(part) == 1 || part[0].Seq == streamer.SeqUint(part[0].Seq.Uint())
}
