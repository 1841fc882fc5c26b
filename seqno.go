package streamer

// SeqNo is a position inside a shard: opaque, comparable with ==, ordered by Compare within one shard. 32 bytes, no allocation. The zero
// value is no position (Kafka's offset 0 is not zero). It marshals as its String.
type SeqNo struct {
	hi, lo uint64
	text   string // "": none; "#": number lo, sub-sequence hi; "-": pair hi-lo; digits: decimal beyond uint64, sub-sequence lo
}

// IsZero says that s is no position.
func (s SeqNo) IsZero() bool { panic(0) }

func (s SeqNo) MarshalText() ([]byte, error)     { panic(0) }
func (s *SeqNo) UnmarshalText(text []byte) error { panic(0) }

// Compare is negative, zero or positive as s is before, at or after t in the same shard.
func (s SeqNo) Compare(t SeqNo) int { panic(0) }

// String is what ParseSeqNo reads: "42", "1700000000000-0", "4958…/3".
func (s SeqNo) String() string { panic(0) }

// ParseSeqNo is String's inverse for every backend: ParseSeqNo(s.String()) == s.
func ParseSeqNo(s string) (SeqNo, error) { panic(0) }

// number, so SeqDecimal("7", 0) == SeqUint(7).
func SeqUint(n uint64) SeqNo                         { panic(0) }
func SeqPair(hi, lo uint64) SeqNo                    { panic(0) }
func SeqDecimal(digits string, sub uint64) SeqNo     { panic(0) }
func (s SeqNo) Uint() uint64                         { panic(0) }
func (s SeqNo) Pair() (hi, lo uint64)                { panic(0) }
func (s SeqNo) Decimal() (digits string, sub uint64) { panic(0) }
