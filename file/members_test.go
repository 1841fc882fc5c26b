package file

import (
	"os"
	"testing"
)

func TestShare(t *testing.T) {
	for n := range 20 {
		for members := 1; members < 10; members++ {
			end := 0
			for rank := range members {
				from, count := share(n, rank, members)
				if from != end || count < n/members || count > (n+members-1)/members {
					t.Fatalf("%d shards, member %d of %d: %d from %d", n, rank, members, count, from)
				}
				end = from + count
			}
			if end != n {
				t.Fatalf("%d shards, %d members: %d", n, members, end)
			}
		}
	}
}

// TestSeats: who lives is counted in order of age, whatever else reads other
// streams; what the dead have left is removed.
func TestSeats(t *testing.T) {
	r := newRig(t)
	g := newGroup(r.cfg.Path, "g", false)
	var seats []*seat
	for range 3 {
		s, err := g.enroll([]string{"a", "b"})
		r.ok(err)
		seats = append(seats, s)
	}
	other, err := g.enroll([]string{"b", "a", "a"})
	r.ok(err)
	alone, err := g.enroll([]string{"a"})
	r.ok(err)
	seats = append(seats, other)
	r.ok(os.WriteFile(g.dir+"/"+seats[0].like+"0000-dead"+memberSuffix, nil, 0o644))
	for i, s := range seats {
		rank, members, err := s.rank()
		if err != nil || rank != i || members != 4 {
			t.Errorf("seat %d: rank %d of %d, %v", i, rank, members, err)
		}
	}
	for _, s := range append(seats, alone) {
		s.leave()
	}
	if left, _ := os.ReadDir(g.dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
