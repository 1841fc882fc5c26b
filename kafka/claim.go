package kafka

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Resumable consumer is no member of its group: Kafka does not know the
// owner. So each commit carries metadata that names the owner and how long it
// is sure to be there. A later owner writes its own; the earlier one sees that
// before its next commit and stops.

const (
	// claimTime is how long a claim is valid, claimEvery how often it is
	// renewed.
	claimTime  = 15 * time.Second
	claimEvery = 5 * time.Second
	// refreshAfter is when a position is committed again that has not moved:
	// brokers forget those that are old (offsets.retention.minutes).
	refreshAfter = time.Hour
)

const claimPrefix = "streamer/1 "

// claim is the metadata that a Resumable owner commits.
type claim struct {
	owner string
	until time.Time
}

func (c claim) String() string {
	return fmt.Sprintf("%s%s %d", claimPrefix, c.owner, c.until.UnixMilli())
}

// parseClaim reads a claim; false for other metadata, or none.
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
