package streamer

// seqs are the sequence numbers of a run. Most backends count: of those the first is enough.
type seqs struct {
	first SeqNo
	list  []SeqNo // nil: each is one more than the one before
}

func oneSeq(n SeqNo) seqs { return seqs{first: n} }

func (s *seqs) at(i int) SeqNo {
	if s.list != nil {
		return s.list[i]
	}
	n := s.first
	n.lo += uint64(i)
	return n
}

// inARow says whether the messages are numbered without a gap.
func inARow(part []Message) bool {
	n := part[0].Seq
	if n.form != formNumber {
		return len(part) == 1
	}
	for i := range part {
		if part[i].Seq != n {
			return false
		}
		n.lo++
	}
	return true
}
