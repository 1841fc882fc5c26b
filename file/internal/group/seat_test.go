package group

import (
	"os"
	"path/filepath"
	"testing"
)

func TestShare(t *testing.T) {
	for n := range 20 {
		for members := 1; members < 10; members++ {
			end := 0
			for rank := range members {
				from, count := Share(n, rank, members)
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

// TestSeats: living members are counted in order of age, whatever other members
// read; seats of dead members are removed.
func TestSeats(t *testing.T) {
	g := New(filepath.Join(t.TempDir(), "log.ss"), "g", false)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var seats []*Seat
	for range 3 {
		s, err := g.Enroll([]string{"a", "b"})
		ok(err)
		seats = append(seats, s)
	}
	other, err := g.Enroll([]string{"b", "a", "a"})
	ok(err)
	alone, err := g.Enroll([]string{"a"})
	ok(err)
	seats = append(seats, other)
	ok(os.WriteFile(g.dir+"/"+seats[0].like+"0000-dead"+memberSuffix, nil, 0o644))
	for i, s := range seats {
		rank, members, err := s.Rank()
		if err != nil || rank != i || members != 4 {
			t.Errorf("seat %d: rank %d of %d, %v", i, rank, members, err)
		}
	}
	for _, s := range append(seats, alone) {
		s.Leave()
	}
	if left, _ := os.ReadDir(g.dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
