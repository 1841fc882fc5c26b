package redis

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTheSizeOfEntriesBoundsWhatIsAskedFor(t *testing.T) {
	var z sizer
	if n := z.count(5000); n != firstCount {
		t.Errorf("%d while nothing is known", n)
	}
	z.learn(1000*256, 1000, 0)
	if n := z.count(5000); n != 5000 {
		t.Errorf("%d of 256 bytes", n)
	}
	z.learn(1<<20, 1, 0)
	if n := z.count(5000); n != 4 {
		t.Errorf("%d of 1 MiB", n)
	}
	for range 100 {
		z.learn(100, 1, 0)
	}
	if n := z.count(5000); n != 5000 {
		t.Errorf("%d when they are small again", n)
	}
	z.learn(100<<20, 1, 0)
	if n := z.count(10); n != 1 {
		t.Errorf("%d of 100 MiB", n)
	}
}

func TestTheSpeedOfTheLinkBoundsWhatIsAskedFor(t *testing.T) {
	var z sizer
	z.learn(16*1000, 16, 200*time.Millisecond) // 80 kB/s
	if n := z.count(5000); n != 80 {
		t.Errorf("%d of 1 kB at 80 kB/s", n)
	}
	z.learn(100, 1, 0) // says nothing about the link
	if n := z.count(5000); n > 100 {
		t.Errorf("%d after a short reply", n)
	}
	z.learn(20<<20, 1, time.Minute)
	if n := z.count(5000); n != 1 {
		t.Errorf("%d of 20 MiB that took a minute", n)
	}
	z.learn(1000*1000, 1000, time.Millisecond)
	for range 100 {
		z.learn(1000*1000, 1000, time.Millisecond)
	}
	if n := z.count(5000); n != replyBytes/1000 {
		t.Errorf("%d when the link is fast again", n)
	}
}

// TestRepliesThatAreLostAreAskedForSmaller: down to one entry, and larger again
// with time; a size that is lost again and again is tried less and less often.
func TestRepliesThatAreLostAreAskedForSmaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var z sizer
		for range 5 {
			z.learn(1000*256, 1000, 0)
		}
		for range 8 {
			z.shrink(z.count(5000))
		}
		if n := z.count(5000); n != 1 {
			t.Errorf("%d after eight losses", n)
		}
		recover := func() (after time.Duration) {
			for begin := time.Now(); z.count(5000) < 512; time.Sleep(100 * time.Millisecond) {
				z.learn(256, 1, 0)
				after = time.Since(begin)
			}
			return after
		}
		if after := recover(); after > 15*time.Second {
			t.Errorf("large again after %v", after)
		}
		lost := 0
		for begin := time.Now(); time.Since(begin) < time.Hour; time.Sleep(100 * time.Millisecond) {
			if n := z.count(5000); n > 300 {
				z.shrink(n)
				lost++
			}
			z.learn(256, 1, 0)
		}
		if lost > 30 {
			t.Errorf("%d replies were lost in an hour", lost)
		}
	})
}
