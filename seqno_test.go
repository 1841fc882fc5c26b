package streamer

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"unsafe"
)

const kinesisNumber = "49590338271490256608559692538361571095921575989136588898"

func TestSeqNoIsWrittenAndReadBack(t *testing.T) {
	for want, s := range map[string]SeqNo{
		"":                              {},
		"0":                             SeqUint(0),
		"42":                            SeqUint(42),
		"18446744073709551615":          SeqUint(math.MaxUint64),
		"42/3":                          SeqDecimal("42", 3),
		"0/1":                           SeqDecimal("0", 1),
		"0-0":                           SeqPair(0, 0),
		"1700000000000-0":               SeqPair(1700000000000, 0),
		"18446744073709551615-1":        SeqPair(math.MaxUint64, 1),
		"18446744073709551616":          SeqDecimal("18446744073709551616", 0),
		kinesisNumber:                   SeqDecimal(kinesisNumber, 0),
		kinesisNumber + "/3":            SeqDecimal(kinesisNumber, 3),
		"9/18446744073709551615":        SeqDecimal("9", math.MaxUint64),
		"99999999999999999999999999/12": SeqDecimal("00099999999999999999999999999", 12),
	} {
		if got := s.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, err := ParseSeqNo(want); err != nil || got != s {
			t.Errorf("ParseSeqNo(%q): got %#v, %v, want %#v", want, got, err, s)
		}
	}
}

func TestParseSeqNoRefusesWhatStringDoesNotWrite(t *testing.T) {
	for _, in := range []string{
		" ", "x", "+1", "-1", "1-", "-", "/", "/1", "1/", "1/0", "1/00", "1/x", "1/-1", "01", "00", "1 ", "1.0", "1e3", "0x1", "1_0", "١",
		"1-2-3", "1-2/3", "1/2-3", "01-0", "1-00", "1-18446744073709551616", "18446744073709551616-1", "1/18446744073709551616",
		"018446744073709551616", "18446744073709551616/0", "4958…/3", "1\n", "#", "-0",
	} {
		if got, err := ParseSeqNo(in); !errors.Is(err, ErrInvalid) || !got.IsZero() {
			t.Errorf("%q: got %v, %v, want ErrInvalid", in, got, err)
		}
	}
}

func TestEqualPositionsAreOneSeqNo(t *testing.T) {
	for _, pair := range [][2]SeqNo{
		{SeqDecimal("7", 0), SeqUint(7)},
		{SeqDecimal("007", 0), SeqUint(7)},
		{SeqDecimal("000", 0), SeqUint(0)},
		{SeqDecimal("18446744073709551615", 0), SeqUint(math.MaxUint64)},
		{SeqDecimal("0018446744073709551616", 2), SeqDecimal("18446744073709551616", 2)},
	} {
		if pair[0] != pair[1] || pair[0].Compare(pair[1]) != 0 {
			t.Errorf("%#v and %#v differ", pair[0], pair[1])
		}
	}
}

func TestOnlyTheZeroSeqNoIsNoPosition(t *testing.T) {
	if !(SeqNo{}).IsZero() {
		t.Error("the zero SeqNo is a position")
	}
	for _, s := range []SeqNo{SeqUint(0), SeqPair(0, 0), SeqDecimal("0", 0)} {
		if s.IsZero() {
			t.Errorf("%s is no position", s)
		}
	}
	for _, digits := range []string{"", "x", "-1", "+1", "1 ", "1x", "9999999999999999999999x", "١"} {
		if s := SeqDecimal(digits, 1); !s.IsZero() {
			t.Errorf("%q is position %s", digits, s)
		}
	}
}

// ascending is every form, each before the next.
var ascending = []SeqNo{
	{},
	SeqUint(0), SeqDecimal("0", 1), SeqUint(9), SeqUint(10), SeqDecimal("10", 1), SeqDecimal("10", 2), SeqUint(11), SeqUint(math.MaxUint64),
	SeqDecimal("18446744073709551616", 0), SeqDecimal("18446744073709551616", 1), SeqDecimal("99999999999999999999", 0),
	SeqDecimal("100000000000000000000", 0), SeqDecimal(kinesisNumber, 0),
	SeqPair(0, 0), SeqPair(0, 1), SeqPair(0, math.MaxUint64), SeqPair(1, 0), SeqPair(math.MaxUint64, 0), SeqPair(math.MaxUint64, math.MaxUint64),
}

func TestCompareOrdersEverySeqNo(t *testing.T) {
	for i, a := range ascending {
		for j, b := range ascending {
			if got := a.Compare(b); cmp.Compare(got, 0) != cmp.Compare(i, j) {
				t.Errorf("%q.Compare(%q) = %d", a, b, got)
			}
		}
	}
}

func TestSeqNoGivesBackWhatItWasMadeOf(t *testing.T) {
	type parts struct {
		n, hi, lo uint64
		digits    string
		sub       uint64
	}
	for _, tt := range []struct {
		s    SeqNo
		want parts
	}{
		{SeqNo{}, parts{}},
		{SeqUint(42), parts{n: 42, digits: "42"}},
		{SeqDecimal("42", 3), parts{n: 42, digits: "42", sub: 3}},
		{SeqPair(5, 6), parts{hi: 5, lo: 6}},
		{SeqDecimal("0"+kinesisNumber, 3), parts{digits: kinesisNumber, sub: 3}},
	} {
		got := parts{n: tt.s.Uint()}
		got.hi, got.lo = tt.s.Pair()
		got.digits, got.sub = tt.s.Decimal()
		if got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.s, got, tt.want)
		}
	}
}

func TestSeqNoTravelsThroughJSON(t *testing.T) {
	type doc struct {
		Seq  SeqNo
		Done map[SeqNo]bool
	}
	in := `{"Seq":"1700000000000-0","Done":{"42/3":true}}`
	var d doc
	if err := json.Unmarshal([]byte(in), &d); err != nil {
		t.Fatal(err)
	}
	if d.Seq != SeqPair(1700000000000, 0) || !d.Done[SeqDecimal("42", 3)] {
		t.Errorf("got %+v", d)
	}
	if out, err := json.Marshal(d); err != nil || string(out) != in {
		t.Errorf("got %s, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`{"Seq":"007"}`), &d); !errors.Is(err, ErrInvalid) || d.Seq != SeqPair(1700000000000, 0) {
		t.Errorf("got %v, %v, want ErrInvalid and no change", d.Seq, err)
	}
}

func TestSeqNoIsFourWordsAndComparesWithoutAllocating(t *testing.T) {
	if size := unsafe.Sizeof(SeqNo{}); size > 32 {
		t.Errorf("a SeqNo has %d bytes", size)
	}
	n := testing.AllocsPerRun(100, func() {
		for i := range ascending {
			_ = ascending[i].Compare(ascending[0])
		}
		_ = SeqDecimal(kinesisNumber, 1)
		_ = SeqUint(1).Compare(SeqPair(1, 2))
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseSeqNo(f *testing.F) {
	for _, a := range ascending {
		f.Add(a.String(), kinesisNumber+"/3", "1-2")
	}
	for _, s := range []string{"007", "1/0", "1-", "-", "/", "1-2/3", "18446744073709551616-1"} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var seqs []SeqNo
		for _, s := range []string{a, b, c} {
			n, err := ParseSeqNo(s)
			if err != nil {
				if !errors.Is(err, ErrInvalid) || !n.IsZero() {
					t.Errorf("%q: got %v, %v", s, n, err)
				}
				continue
			}
			if n.String() != s || n.IsZero() != (s == "") {
				t.Errorf("%q was read as %q", s, n)
			}
			seqs = append(seqs, n)
		}
		checkOrder(t, seqs)
	})
}

func checkOrder(t *testing.T, seqs []SeqNo) {
	t.Helper()
	for _, x := range seqs {
		for _, y := range seqs {
			if (x.Compare(y) == 0) != (x == y) || cmp.Compare(x.Compare(y), 0) != -cmp.Compare(y.Compare(x), 0) {
				t.Errorf("%s and %s: %d and %d", x, y, x.Compare(y), y.Compare(x))
			}
			for _, z := range seqs {
				if x.Compare(y) < 0 && y.Compare(z) < 0 && x.Compare(z) >= 0 {
					t.Errorf("%s < %s < %s, yet the first is not before the last", x, y, z)
				}
			}
		}
	}
}
