package trials

import (
	"fmt"
	"strings"

	"github.com/gostreamer/streamer"
)

// Entry is what a server has of one record.
type Entry struct {
	Shard  streamer.ShardID
	Seq    string
	Number int
}

func (e Entry) place() string { return placeOf(e.Shard, e.Seq) }

// Outcome is what came of a trial's records.
type Outcome struct {
	Sent, Stored, Unknown int
	Entries, Twice        int // on the server; records that are there more than once, since it was unknown whether they were
	Lost                  int // stored as a receipt says, and not on the server
	Delivered, Repeated   int // by the consumer
	Committed             int // of the repeated ones, as far as that is known
}

// Settle is called when the producer has stopped. It waits until the consumer
// has all that the server has, which is given shard by shard, and fails for
// every broken promise: a receipt for a record that is not there, an entry that
// is not delivered, one that is delivered twice, a record that is refused.
// After [Intake.Watch] only what was committed must not be delivered twice. A
// server that loses what it has stored is granted with mayLose.
func (t *Trial) Settle(f *Flow, in *Intake, all []Entry, mayLose bool) Outcome {
	t.Helper()
	t.Eventually("every entry is delivered", func() bool { return in.missing(all) == 0 || in.Failed() })
	in.Stop()
	o := Outcome{Sent: f.sent, Stored: len(f.stored), Unknown: f.unknown, Entries: len(all)}
	var err error
	o.Delivered, o.Repeated, err = in.Delivered()
	o.Committed = in.after
	o.Lost, o.Twice = t.compare(f, all)
	t.Logf("sent %d, stored %d, unknown %d; on the server %d, %d of them twice, lost by it %d; delivered %d, repeated %d, of these committed before %d, missing %d",
		o.Sent, o.Stored, o.Unknown, o.Entries, o.Twice, o.Lost, o.Delivered, o.Repeated, o.Committed, in.missing(all))
	switch {
	case err != nil:
		t.Errorf("Next: %v", err)
	case len(f.errs) > 0:
		t.Errorf("%d records failed, the first: %v", len(f.errs), f.errs[0])
	case o.Lost > 0 && !mayLose:
		t.Errorf("%d records are not there, though their receipts say so", o.Lost)
	case len(overtaken(all)) > 0:
		t.Errorf("%d records were overtaken by a later one of their key:\n%s", len(overtaken(all)), strings.Join(overtaken(all), "\n"))
	case o.Committed > 0:
		t.Errorf("%d messages were redelivered that were committed", o.Committed)
	case o.Repeated > 0 && in.committed == nil || in.backward > 0:
		t.Errorf("%d messages were delivered again, %d out of order, within one assignment", o.Repeated, in.backward)
	}
	return o
}

// compare says how many receipts are for records that are not there, and how
// many records are there more than once.
func (t *Trial) compare(f *Flow, all []Entry) (lost, twice int) {
	t.Helper()
	byPlace, copies := map[string]int{}, map[int]int{}
	for _, e := range all {
		byPlace[e.place()] = e.Number
		copies[e.Number]++
	}
	for n, m := range f.stored {
		if at, ok := byPlace[placeOf(m.Shard, m.Seq.String())]; !ok {
			lost++
		} else if at != n {
			t.Fatalf("the receipt of record %d names %v, where record %d is", n, m.Seq, at)
		}
	}
	for _, n := range copies {
		if n > 1 {
			twice++
		}
	}
	return lost, twice
}

// overtaken names the records whose first copy comes after one of a later
// record of the same key.
func overtaken(all []Entry) []string {
	first, latest := map[int]bool{}, map[string]Entry{}
	var list []string
	for _, e := range all {
		key := string(keyOf(e.Number))
		if key == "" || first[e.Number] {
			continue
		}
		first[e.Number] = true
		if l, ok := latest[key]; ok && e.Number < l.Number {
			list = append(list, fmt.Sprintf("%s: record %d of %q comes after record %d, %s", e.place(), e.Number, key, l.Number, l.place()))
			continue
		}
		latest[key] = e
	}
	return list
}
