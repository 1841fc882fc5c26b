package redis_test

import (
	"fmt"
	"strings"

	"github.com/gostreamer/streamer"
)

// outcome is what came of a trial's records.
type outcome struct {
	sent, stored, unknown int
	entries, twice        int // on the server; records that are there more than once, since it was unknown whether they were
	lost                  int // stored as a receipt says, and not on the server
	delivered, repeated   int // by the consumer
}

// settle is called when the producer has stopped. It waits until the consumer has all that the server has, and fails for every broken promise: a receipt for a record
// that is not there, an entry that is not delivered, one that is delivered twice, a record that is refused. A server that loses what it
// has stored is granted with mayLose.
func (t *trial) settle(f *flow, in *intake, all []entry, mayLose bool) outcome {
	t.Helper()
	places, byPlace, copies := index(all)
	t.eventually("every entry is delivered", func() bool { return in.missing(places) == 0 || t.failedTaking(in) })
	in.stop()
	o := outcome{sent: f.sent, stored: len(f.stored), unknown: f.unknown, entries: len(all)}
	var err error
	o.delivered, o.repeated, err = in.delivered()
	for n, m := range f.stored {
		if at, ok := byPlace[placeOf(streamer.StreamShard{Shard: m.Shard}, m.Seq)]; !ok {
			o.lost++
		} else if at != n {
			t.Fatalf("the receipt of record %d names %v, where record %d is", n, m.Seq, at)
		}
	}
	for _, n := range copies {
		if n > 1 {
			o.twice++
		}
	}
	t.Logf("sent %d, stored %d, unknown %d; on the server %d, %d of them twice, lost by it %d; delivered %d, repeated %d, missing %d",
		o.sent, o.stored, o.unknown, o.entries, o.twice, o.lost, o.delivered, o.repeated, in.missing(places))
	switch {
	case err != nil:
		t.Errorf("Next: %v", err)
	case len(f.errs) > 0:
		t.Errorf("%d records failed, the first: %v", len(f.errs), f.errs[0])
	case o.lost > 0 && !mayLose:
		t.Errorf("%d records are not there, though their receipts say so", o.lost)
	case len(overtaken(all)) > 0:
		t.Errorf("%d records were overtaken by a later one of their key:\n%s", len(overtaken(all)), strings.Join(overtaken(all), "\n"))
	case o.repeated > 0 || in.backward > 0:
		t.Errorf("%d messages were delivered again, %d out of order, within one assignment", o.repeated, in.backward)
	}
	return o
}

// overtaken names the records whose first copy comes after one of a later record of the same key.
func overtaken(all []entry) []string {
	first, latest := map[int]bool{}, map[string]entry{}
	var list []string
	for _, e := range all {
		key := string(keyOf(e.number))
		if key == "" || first[e.number] {
			continue
		}
		first[e.number] = true
		if l, ok := latest[key]; ok && e.number < l.number {
			list = append(list, fmt.Sprintf("%s %s: record %d of %q comes after record %d, %s %s", e.key, e.id, e.number, key, l.number, l.key, l.id))
			continue
		}
		latest[key] = e
	}
	return list
}

func (t *trial) failedTaking(in *intake) bool {
	_, _, err := in.delivered()
	return err != nil
}

// index lists the places of entries, and how often each number is there. The shard is the number after the key's last colon, else 0.
func index(all []entry) (places []string, byPlace map[string]int, copies map[int]int) {
	byPlace, copies = map[string]int{}, map[int]int{}
	for _, e := range all {
		_, shard, ok := strings.Cut(e.key, ":")
		if !ok {
			shard = "0"
		}
		place := shard + " " + e.id
		places = append(places, place)
		byPlace[place] = e.number
		copies[e.number]++
	}
	return places, byPlace, copies
}
