package streamer

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// SeqNo is a position inside a shard. It is opaque, comparable with ==, and
// ordered by Compare within one shard. The zero value is no position; Kafka's
// offset 0 is not the zero value. It marshals as its String. Backends make one
// from a number, a pair or a decimal and take it apart again; equal positions
// are == however they were made. It has 32 bytes.
type SeqNo struct {
	hi, lo uint64
	form   string // one of the forms below, or the digits of a decimal beyond uint64 with the sub-sequence lo
}

// The forms are strings because the digits need one anyway: a tag would cost a
// word.
const (
	formNone   = ""
	formNumber = "#" // number lo, sub-sequence hi
	formPair   = "-" // hi-lo
)

// SeqUint is the position n of a backend that counts: an offset or a frame's
// number.
func SeqUint(n uint64) SeqNo { return SeqNo{lo: n, form: formNumber} }

// SeqPair is the position hi-lo of a backend that numbers within a time. Pairs
// are ordered by hi, then lo.
func SeqPair(hi, lo uint64) SeqNo { return SeqNo{hi: hi, lo: lo, form: formPair} }

// SeqDecimal is the position of a backend whose numbers exceed 64 bits; sub is
// the place inside an aggregated entry. Leading zeros do not count. A decimal
// below 2^64 is kept as a number, so SeqDecimal("7", 0) == SeqUint(7). Anything
// other than ASCII digits gives the zero SeqNo. A longer decimal shares the
// memory of digits.
func SeqDecimal(digits string, sub uint64) SeqNo {
	if !allDigits(digits) {
		return SeqNo{}
	}
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	if len(digits) <= maxUintDigits { // an error of ParseUint allocates
		if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
			return SeqNo{hi: sub, lo: n, form: formNumber}
		}
	}
	return SeqNo{lo: sub, form: digits}
}

const maxUintDigits = len("18446744073709551615")

// Uint is the number that s was made of, without its sub-sequence. It is 0 for
// a pair and for a decimal beyond uint64.
func (s SeqNo) Uint() uint64 {
	if s.form != formNumber {
		return 0
	}
	return s.lo
}

// Pair returns the arguments of SeqPair, or zeros for another form.
func (s SeqNo) Pair() (hi, lo uint64) {
	if s.form != formPair {
		return 0, 0
	}
	return s.hi, s.lo
}

// Decimal returns the arguments of SeqDecimal, without leading zeros. A number
// below 2^64 is rendered. A pair and the zero SeqNo give "".
func (s SeqNo) Decimal() (digits string, sub uint64) {
	switch s.form {
	case formNone, formPair:
		return "", 0
	case formNumber:
		return strconv.FormatUint(s.lo, 10), s.hi
	}
	return s.form, s.lo
}

// IsZero says whether s is no position.
func (s SeqNo) IsZero() bool { return s == SeqNo{} }

// Compare is negative, zero or positive as s is before, at or after t in the
// same shard. It is zero only for s == t. Forms do not mix within a shard, but
// they have an order too: no position, then numbers and decimals by value, then
// pairs.
func (s SeqNo) Compare(t SeqNo) int {
	if c := cmp.Compare(s.rank(), t.rank()); c != 0 {
		return c
	}
	if s.rank() == rankDecimal {
		return cmp.Or(cmp.Compare(len(s.form), len(t.form)), strings.Compare(s.form, t.form), cmp.Compare(s.lo, t.lo))
	}
	if s.form == formNumber {
		return cmp.Or(cmp.Compare(s.lo, t.lo), cmp.Compare(s.hi, t.hi))
	}
	return cmp.Or(cmp.Compare(s.hi, t.hi), cmp.Compare(s.lo, t.lo))
}

const (
	rankNone = iota
	rankNumber
	rankDecimal // every decimal that is not a number is beyond uint64
	rankPair
)

func (s SeqNo) rank() int {
	switch s.form {
	case formNone:
		return rankNone
	case formNumber:
		return rankNumber
	case formPair:
		return rankPair
	}
	return rankDecimal
}

// String is what ParseSeqNo reads: "42", "42/3", "1700000000000-0", "4958…/3",
// or "" for no position.
func (s SeqNo) String() string {
	switch s.form {
	case formNone:
		return ""
	case formPair:
		return strconv.FormatUint(s.hi, 10) + "-" + strconv.FormatUint(s.lo, 10)
	}
	digits, sub := s.Decimal()
	if sub == 0 {
		return digits
	}
	return digits + "/" + strconv.FormatUint(sub, 10)
}

// ParseSeqNo is the inverse of String for every backend: ParseSeqNo(s.String())
// == s. Text that String does not write, such as "007" or "42/0", is
// ErrInvalid.
func ParseSeqNo(s string) (SeqNo, error) {
	if n := readSeqNo(s); n.String() == s {
		return n, nil
	}
	return SeqNo{}, fmt.Errorf("%w sequence number %.80q: want one like 42, 42/3 or 1700000000000-0", ErrInvalid, s)
}

// readSeqNo reads more than String writes and never fails: ParseSeqNo compares.
func readSeqNo(s string) SeqNo {
	if left, right, ok := strings.Cut(s, "-"); ok {
		hi, _ := strconv.ParseUint(left, 10, 64)
		lo, _ := strconv.ParseUint(right, 10, 64)
		return SeqPair(hi, lo)
	}
	digits, right, _ := strings.Cut(s, "/")
	sub, _ := strconv.ParseUint(right, 10, 64)
	return SeqDecimal(digits, sub)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// MarshalText returns String. It never fails.
func (s SeqNo) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseSeqNo. It leaves s unchanged on an error.
func (s *SeqNo) UnmarshalText(text []byte) error {
	n, err := ParseSeqNo(string(text))
	if err != nil {
		return err
	}
	*s = n
	return nil
}
