package kafka

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Resumable consumer is no member of its group: Kafka knows of no owner. So
// each of its commits carries a note that says who made it and how long that
// one is surely there. Who opens later writes its own note; the earlier one
// sees it before its next commit and stops.

const (
	// claimTime is how long a note is good for, claimEvery how soon it is
	// renewed.
	claimTime  = 15 * time.Second
	claimEvery = 5 * time.Second
	// refreshAfter is when a position is committed again that has not moved:
	// brokers forget those that are old (offsets.retention.minutes).
	refreshAfter = time.Hour
)

const claimPrefix = "streamer/1 "

// claim is the note of a Resumable owner.
type claim struct {
	owner string
	until time.Time
}

func (c claim) String() string {
	return fmt.Sprintf("%s%s %d", claimPrefix, c.owner, c.until.UnixMilli())
}

// parseClaim reads a note; false for one that another process wrote, or none.
func parseClaim(note string) (claim, bool) {
	rest, ok := strings.CutPrefix(note, claimPrefix)
	owner, until, cut := strings.Cut(rest, " ")
	ms, err := strconv.ParseInt(until, 10, 64)
	if !ok || !cut || owner == "" || err != nil {
		return claim{}, false
	}
	return claim{owner, time.UnixMilli(ms)}, true
}

// owned says whether an owner holds the positions now.
func owned(note string, now time.Time) bool {
	c, ok := parseClaim(note)
	return ok && now.Before(c.until)
}
