package conformance

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/gostreamer/streamer"
)

func policyCases() []testCase {
	var cases []testCase
	for _, row := range policyTable() {
		for i, again := range row.again {
			e := endings()[i]
			needs := []Part{Resuming}
			if e == killed {
				needs = append(needs, Killing)
			}
			cases = append(cases, testCase{
				name: fmt.Sprintf("%s/%s/%s", policyName(row.policy), row.way, e), needs: needs,
				run: func(b *bed) { comesAgainAfter(b, row, e, again) },
			})
		}
	}
	return append(cases,
		testCase{name: "on-delivery-in-a-group-that-changes", run: onDeliveryInGroup},
		testCase{name: "on-delivery-with-a-slow-handler", run: onDeliverySlow},
		testCase{name: "on-delivery-across-sigkill", needs: []Part{Resuming, Killing}, run: onDeliveryKilled},
		testCase{name: "delayed-acknowledges-by-itself", needs: []Part{Resuming}, run: delayedByItself})
}

// ending is how a loop over messages ends.
type ending string

const (
	bodyReturns ending = "body returns"
	continues   ending = "continue"
	breaks      ending = "break"
	returns     ending = "return"
	panics      ending = "panic"
	exits       ending = "Goexit"
	killed      ending = "SIGKILL"
)

func endings() []ending {
	return []ending{bodyReturns, continues, breaks, returns, panics, exits, killed}
}

// policyRow says which of messages 1, 2, 3 are redelivered after each of the
// endings. The program: three messages are handled one after another; the
// body of the first calls Ack and returns; that of the second returns; that of
// the third ends as named. Then the consumer is closed and opened again, or,
// for SIGKILL, what is acknowledged is committed in the third body just before.
type policyRow struct {
	policy streamer.AckPolicy
	way    string
	again  [7]string // by endings
}

// policyTable is the whole truth of promise 17, here and in the documentation.
func policyTable() []policyRow {
	const none, last, unacked = "–", "3", "2 3"
	all := func(s string) [7]string { return [7]string{s, s, s, s, s, s, s} }
	delayed := [7]string{none, none, none, none, none, none, unacked}
	return []policyRow{
		{streamer.AckOnReturn, "messages", [7]string{none, none, last, last, last, last, last}},
		{streamer.AckOnReturn, "next", all(unacked)},
		{streamer.AckOnReturn, "next-batch", all(unacked)},
		{streamer.AckOnReturn, "stream", all(unacked)},
		{streamer.AckManual, "messages", all(unacked)},
		{streamer.AckManual, "next", all(unacked)},
		{streamer.AckManual, "next-batch", all(unacked)},
		{streamer.AckManual, "stream", all(unacked)},
		{streamer.AckDelayed, "messages", delayed},
		{streamer.AckDelayed, "next", delayed},
		{streamer.AckDelayed, "next-batch", delayed},
		{streamer.AckDelayed, "stream", delayed},
		{streamer.AckOnDelivery, "messages", all(none)},
		{streamer.AckOnDelivery, "next", all(none)},
		{streamer.AckOnDelivery, "next-batch", all(none)},
		{streamer.AckOnDelivery, "stream", all(none)},
	}
}

func policyName(p streamer.AckPolicy) string {
	return [...]string{"", "AckOnReturn", "AckManual", "AckDelayed", "AckOnDelivery"}[p]
}

func againNumbers(cell string) []int {
	switch cell {
	case "3":
		return []int{3}
	case "2 3":
		return []int{2, 3}
	default:
		return nil
	}
}

// comesAgainAfter plays one cell of the table over six messages.
func comesAgainAfter(b *bed, row policyRow, e ending, again string) {
	b.open(Plan{})
	b.sendN(1, 7, 1)
	if e == killed {
		b.spawn(errand{Mode: streamer.Resumable, Group: b.group, Policy: row.policy, Way: row.way, Take: 3, Ack: 1, Commit: 3}).kill()
	} else {
		o := b.resumable()
		o.Ack, o.AckDelay = row.policy, 0
		if row.policy == streamer.AckDelayed {
			o.AckDelay = time.Hour
		}
		c := b.consumer(o)
		b.playLoop(c, row.way, e)
		b.close(c)
	}
	got := numbers(b.rest(b.reopen(b.resumable()), 1))
	want := append(againNumbers(again), 4, 5, 6)
	if e == killed && row.policy == streamer.AckOnDelivery {
		got = slices.DeleteFunc(got, func(n int) bool { return n > 3 }) // what was fetched and not delivered may be lost
		want = nil
	}
	same(b, fmt.Sprintf("what is redelivered: %v, of which %v", got, want), got, want)
}

// playLoop runs the loop of a policyRow on a goroutine that may panic or exit.
func (b *bed) playLoop(c streamer.Consumer, way string, e ending) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	handled := 0
	body := func(m *streamer.Message) (goOn bool) {
		handled++
		switch handled {
		case 1:
			m.Ack()
		case 3:
			return third(e, cancel)
		}
		return true
	}
	b.within("a loop over "+way+" that ends by "+string(e), func() error {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			defer func() { _ = recover() }()
			loopOver(way)(ctx, c, e == returns, body)
		}()
		<-ended
		return nil
	})
	if handled != 3 {
		b.Fatalf("the loop handled %d messages, want 3: %v", handled, c.Err())
	}
}

// third is the body of the third message. It says whether the loop continues.
func third(e ending, cancel context.CancelFunc) bool {
	switch e {
	case panics:
		panic("as the case wants")
	case exits:
		runtime.Goexit()
	case breaks, returns:
		return false
	}
	cancel() // body returns, or continue: the loop ends for another reason
	return true
}

// onDeliveryInGroup: members come and go, and no message is handed out twice,
// nor, since all close cleanly, lost.
func onDeliveryInGroup(b *bed) {
	const shards, cycles = 2, 4
	b.open(Plan{Shards: shards})
	c := &crew{b: b, options: b.balanced(), copies: make(map[int]int)}
	c.options.Ack = streamer.AckOnDelivery
	w := c.enlist(b.streamer())
	n := b.Messages
	b.sendN(0, n, shards)
	for i := range cycles {
		next := c.enlist(b.streamer())
		c.reach(n * (i + 1) / (cycles + 1))
		c.leave(w)
		w = next
	}
	c.reach(n)
	c.leave(w)
	if d := duplicates(c.copies); d > 0 {
		b.Errorf("%d messages were delivered twice", d)
	}
}

func onDeliveryKilled(b *bed) {
	const n, taken = 300, 50
	b.open(Plan{Shards: 2})
	b.sendN(0, n, 2)
	child := b.spawn(errand{Mode: streamer.Resumable, Group: b.group, Policy: streamer.AckOnDelivery, Take: taken})
	child.kill()
	before := make(map[int]bool)
	for _, i := range child.got {
		before[i] = true
	}
	for _, m := range b.rest(b.reopen(b.resumable()), 2) {
		if before[number(m)] {
			b.Errorf("message %d was delivered before the kill and after it", number(m))
		}
	}
}

// delayedByItself: the window opens again and again though nothing calls Ack.
func delayedByItself(b *bed) {
	const window, n = 5, 50
	b.open(Plan{})
	b.sendN(0, n, 1)
	o := b.resumable()
	o.Ack, o.AckDelay, o.MaxInFlight, o.Prefetch = streamer.AckDelayed, 20*time.Millisecond, window, window
	b.expect(b.consumer(o), span(0, n)...)
}
