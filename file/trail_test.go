package file

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTrail: against a list of steps, with numbers and places as they come and
// as they can come in what others have written.
func TestTrail(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		var got trail
		var want []step
		st := step{seq: rnd.Uint64(), start: 128, frame: 128}
		for range 200 {
			for range rnd.IntN(200) {
				got.add(st)
				want = append(want, st)
				st = following(rnd, st)
			}
			checkTrail(t, rnd, &got, want)
			n := rnd.IntN(len(want) + 1)
			got.drop(n)
			want = want[n:]
			checkTrail(t, rnd, &got, want)
		}
	}
}

func following(rnd *rand.Rand, st step) step {
	switch rnd.IntN(50) {
	case 0:
		return step{rnd.Uint64(), rnd.Int64(), rnd.Int64()}
	case 1:
		return step{math.MaxUint64, math.MaxInt64, 0}
	case 2:
		return step{0, 0, math.MaxInt64}
	}
	start := st.frame + rnd.Int64N(1000)
	return step{st.seq + 1, start, start + rnd.Int64N(2)*100}
}

func checkTrail(t *testing.T, rnd *rand.Rand, got *trail, want []step) {
	t.Helper()
	if got.len() != len(want) {
		t.Fatalf("%d steps, want %d", got.len(), len(want))
	}
	for range 3 {
		seq := rnd.Uint64()
		if len(want) > 0 {
			i := rnd.IntN(len(want))
			if seq = want[i].seq; got.at(i) != want[i] {
				t.Fatalf("step %d is %v, want %v", i, got.at(i), want[i])
			}
		}
		i := slices.IndexFunc(want, func(st step) bool { return st.seq == seq })
		frame, passed := got.find(seq)
		if passed != i+1 || i >= 0 && frame != want[i].frame {
			t.Fatalf("%d is at %d, %d steps on; want step %d of %d", seq, frame, passed, i, len(want))
		}
	}
}

// TestTrailIsSmall: a consumer that commits each second passes millions of
// messages in between.
func TestTrailIsSmall(t *testing.T) {
	var tr trail
	const n = 100_000
	for i := range n {
		at := int64(i) * 300
		tr.add(step{uint64(i), at, at})
	}
	size := 0
	for _, s := range tr.stretches {
		size += cap(s.rest)
	}
	if size > 6*n {
		t.Errorf("%d bytes for %d steps", size, n)
	}
}
