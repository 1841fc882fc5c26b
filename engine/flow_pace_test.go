package engine

import (
	"testing"
	"time"

	"github.com/gostreamer/streamer/internal/wait"
)

// work is a member's stretch of work: it takes n messages evenly over d, and
// then finds nothing.
func work(p *pace, now *time.Time, n int, d time.Duration) {
	clock := func() time.Time { return *now }
	p.busy(clock)
	for range n {
		p.popped++
		*now = now.Add(d / time.Duration(n))
	}
	p.idle(clock)
}

func TestPaceIsWhatIsWorkedOffInAFifthOfASecond(t *testing.T) {
	tests := []struct {
		name string
		from int
		n    int
		took time.Duration
		want int
	}{
		{"as fast as its limit", 100, 100, 200 * time.Millisecond, 100},
		{"slower shrinks at once", 100, 50, 200 * time.Millisecond, 50},
		{"at least ten", 100, 1, 10 * time.Second, 10},
		{"faster at most doubles", 100, 1000, 200 * time.Millisecond, 200},
		{"no time at all doubles", 10, 10, 0, 20},
		{"a short stretch counts by its rate", 100, 30, 100 * time.Millisecond, 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := pace{limit: tt.from}
			now := time.Unix(0, 0)
			work(&p, &now, tt.n, tt.took)
			if p.limit != tt.want {
				t.Fatalf("limit %d, want %d", p.limit, tt.want)
			}
		})
	}
}

func TestPaceDoesNotCountWaiting(t *testing.T) {
	p := pace{limit: 100}
	now := time.Unix(0, 0)
	for range 10 {
		work(&p, &now, 100, 200*time.Millisecond)
		now = now.Add(time.Hour)
	}
	if p.limit != 100 {
		t.Fatalf("limit %d after hours of waiting, want 100", p.limit)
	}
}

func TestPaceIsStuckWhenNothingWasTakenBetweenTwoLooks(t *testing.T) {
	now := time.Unix(0, 0)
	clock := func() time.Time { return now }
	p := pace{limit: 10}
	for range 2 {
		if p.stuck() {
			t.Fatal("who has nothing to take is not stuck")
		}
	}
	p.busy(clock)
	if p.stuck() {
		t.Fatal("stuck at the first look")
	}
	p.popped++
	if p.stuck() {
		t.Fatal("stuck though a message was taken")
	}
	if !p.stuck() {
		t.Fatal("not stuck though nothing was taken since")
	}
}

func TestBackoffDoublesAndRespectsWhatIsAsked(t *testing.T) {
	var b wait.Backoff
	for i, ms := range []int64{10, 20, 40, 80, 160, 320, 640, 1280, 2000, 2000} {
		if got := b.Next(0); got.Milliseconds() != ms {
			t.Fatalf("pause %d is %v, want %d ms", i, got, ms)
		}
	}
	if got := b.Next(time.Minute); got != time.Minute {
		t.Fatalf("asked for a minute, got %v", got)
	}
	b.Reset()
	if got := b.Next(0); got != 10*time.Millisecond {
		t.Fatalf("after success the first pause is %v, want 10ms", got)
	}
}
