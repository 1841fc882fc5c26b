package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/inside"
)

// book is a ledger with the messages that went into it.
type book struct {
	*ledger
	messages []*streamer.Message
}

// newBook has one run per size; message i of all has sequence number i+1.
func newBook(o sessionOptions, sizes ...int) *book {
	b := &book{ledger: &ledger{StreamShard: streamer.StreamShard{Stream: "s", Shard: 0}, sess: &session{o: o}}}
	for _, n := range sizes {
		b.add(n)
	}
	return b
}

func (b *book) add(n int) []streamer.Message {
	slab := make([]streamer.Message, n)
	for i := range slab {
		slab[i].Meta = streamer.Meta{Stream: "s", Seq: streamer.SeqUint(uint64(len(b.messages) + i + 1))}
	}
	r := newArena(slab, &b.sess.o).run(b.ledger, slab)
	b.append(r)
	for i := range slab {
		*inside.SlotOf(&slab[i]) = inside.Slot{Run: &r.acks, I: uint32(i)}
		b.messages = append(b.messages, &slab[i])
	}
	return slab
}

// takeAll marks every message as handed out.
func (b *book) takeAll() {
	for _, m := range b.messages {
		w, bit := bitOf(indexOf(m))
		runOf(m).taken[w] |= bit
	}
}

func (b *book) pending() []uint64 {
	var seqs []uint64
	b.uncommitted(true, func(seq streamer.SeqNo, _ bool) bool {
		seqs = append(seqs, seq.Uint())
		return true
	})
	return seqs
}

var resumable = sessionOptions{mode: streamer.Resumable, ack: streamer.AckManual}

// sizes around the words of a bitmap, alone and in a row.
var runSizes = [][]int{{1}, {63}, {64}, {65}, {127}, {128}, {129}, {1, 1, 1}, {63, 64, 65}, {64, 64}, {128, 1, 63}, {200, 7}}

func TestMarkIsTheContiguousPrefixWhateverTheOrderOfAcks(t *testing.T) {
	for _, sizes := range runSizes {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			b := newBook(resumable, sizes...)
			done := make([]bool, len(b.messages))
			for step, i := range rand.Perm(len(b.messages)) {
				if !b.messages[i].Ack() {
					t.Fatalf("first Ack of %d did not count", i+1)
				}
				done[i] = true
				if step%3 != 0 && step < len(done)-1 {
					continue // advance over several acks at once, too
				}
				b.advance()
				prefix := slices.Index(append(slices.Clone(done), false), false)
				if got := int(b.mark.Uint()); got != prefix || b.passed != prefix {
					t.Fatalf("mark %d, passed %d after %d acks, want %d", got, b.passed, step+1, prefix)
				}
			}
			if b.cur != nil || !b.oldest().IsZero() {
				t.Fatalf("everything is done, but oldest is %v", b.oldest())
			}
		})
	}
}

func TestReleaseKeepsOnlyRunsBehindTheMark(t *testing.T) {
	b := newBook(resumable, 64, 3, 65)
	for _, m := range b.messages[:67] {
		m.Ack()
	}
	b.advance()
	b.release(false)
	if b.head == nil || b.head != b.cur || b.head.n != 65 {
		t.Fatalf("head is %+v, want the third run", b.head)
	}
	ackAll(b.messages[67:])
	b.advance()
	b.release(false)
	if b.head != nil || b.tail != nil {
		t.Fatal("a wholly done ledger keeps runs")
	}
	b.add(2) // continues as if it were new
	b.messages[132].Ack()
	if b.advance(); b.mark != streamer.SeqUint(133) || b.oldest() != streamer.SeqUint(134) {
		t.Fatalf("mark %v, oldest %v; want 133, 134", b.mark, b.oldest())
	}
}

func TestPerMessageListIsTheDifference(t *testing.T) {
	for _, sizes := range runSizes {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			b := newBook(resumable, sizes...)
			var told []uint64
			order := rand.Perm(len(b.messages))
			for len(order) > 0 {
				n := min(len(order), 1+rand.IntN(40))
				var want []uint64
				for _, i := range order[:n] {
					b.messages[i].Ack()
					want = append(want, uint64(i+1))
				}
				order = order[n:]
				slices.Sort(want)
				var c commitBatch
				b.advance()
				c.addAcked(b.ledger)
				if got := uints(c.acked[0].Seqs); !slices.Equal(got, want) {
					t.Fatalf("told %v, want %v", got, want)
				}
				for _, d := range c.slots {
					d.r.save(d.w, d.bits)
				}
				told = append(told, want...)
				b.release(true)
				if n := len(b.messages) - len(told); len(b.pending()) != n {
					t.Fatalf("%d uncommitted, want %d", len(b.pending()), n)
				}
			}
			if b.head != nil {
				t.Fatal("all is told and runs are kept")
			}
		})
	}
}

func TestAFailedPerMessageCommitStaysInTheLedger(t *testing.T) {
	b := newBook(resumable, 3)
	ackAll(b.messages)
	for range 2 { // not settled: the second list is the first
		var c commitBatch
		b.advance()
		c.addAcked(b.ledger)
		b.release(true)
		if got := uints(c.acked[0].Seqs); !slices.Equal(got, []uint64{1, 2, 3}) {
			t.Fatalf("told %v, want 1 2 3", got)
		}
	}
}

func TestSealMakesLateAcksFalseAndCountsTheOthersExactly(t *testing.T) {
	const n, ackers = 1000, 4
	for range 20 {
		b := newBook(resumable, 300, 64, n-364)
		var counted atomic.Int64
		var wg sync.WaitGroup
		start := make(chan struct{})
		for range ackers { // all of them acknowledge all: each message counts once
			order := rand.Perm(n)
			wg.Go(func() {
				<-start
				for _, i := range order {
					if b.messages[i].Ack() {
						counted.Add(1)
					}
				}
			})
		}
		close(start)
		for counted.Load() < n/3 {
			if counted.Load() == n {
				break
			}
		}
		b.seal()
		wg.Wait()
		var c commitBatch
		c.addAcked(b.ledger)
		if got := int64(len(c.acked[0].Seqs)); got != counted.Load() {
			t.Fatalf("%d Acks returned true, %d messages are acknowledged", counted.Load(), got)
		}
		if b.messages[0].Ack() || b.messages[n-1].Ack() {
			t.Fatal("an Ack after sealing counted")
		}
	}
}

func TestSealIsIdempotent(t *testing.T) {
	b := newBook(resumable, 70)
	ackAll(b.messages[:10])
	b.seal()
	b.seal()
	if b.mark != streamer.SeqUint(10) {
		t.Fatalf("mark %v, want 10", b.mark)
	}
}

func TestWhatIsNoMessageTakesItsPlace(t *testing.T) {
	tests := []struct {
		name string
		fill func(b *book)
		acks []int // indexes of messages
		mark uint64
		told []uint64 // per message
	}{
		{"what is no message is done alone", func(b *book) { b.pass(streamer.SeqUint(1)) }, nil, 1, nil},
		{"it waits for what is before it", func(b *book) { b.add(2); b.pass(streamer.SeqUint(3)) }, []int{0}, 1, []uint64{1}},
		{"it goes with what is before it", func(b *book) { b.add(2); b.pass(streamer.SeqUint(3)) }, []int{0, 1}, 3, []uint64{1, 2}},
		{"the last of several counts", func(b *book) {
			b.add(1)
			b.pass(streamer.SeqUint(5))
			b.pass(streamer.SeqUint(9))
		}, []int{0}, 9, []uint64{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBook(resumable)
			tt.fill(b)
			for _, i := range tt.acks {
				b.messages[i].Ack()
			}
			b.advance()
			if b.mark.Uint() != tt.mark {
				t.Errorf("mark %v, want %d", b.mark, tt.mark)
			}
			var c commitBatch
			c.addAcked(b.ledger)
			var told []uint64
			for _, a := range c.acked {
				told = append(told, uints(a.Seqs)...)
			}
			if !slices.Equal(told, tt.told) {
				t.Errorf("told %v, want %v", told, tt.told)
			}
		})
	}
}

func TestManyProgressMarksShareASlot(t *testing.T) {
	b := newBook(resumable, 1)
	for i := range 1000 {
		b.pass(streamer.SeqUint(uint64(i + 2)))
	}
	runs := 0
	for r := b.head; r != nil; r = r.next {
		runs++
	}
	if runs != 2 {
		t.Fatalf("%d runs for 1 message and a thousand marks, want 2", runs)
	}
}

func TestWindowIsFromTheOldestOpenToTheNewestHandedOut(t *testing.T) {
	b := newBook(resumable, 10)
	b.buffered = 10
	for i := range 10 {
		if got := b.inFlight(); got != i {
			t.Fatalf("window %d after %d were handed out", got, i)
		}
		b.buffered--
	}
	ackAll(b.messages[1:]) // all but the oldest
	if !b.full(10) || b.full(11) {
		t.Fatal("a gap at the front must keep the window of 10 full")
	}
	if b.oldest() != streamer.SeqUint(1) {
		t.Fatalf("oldest is %v, want 1", b.oldest())
	}
	b.messages[0].Ack()
	if b.full(10) || b.inFlight() != 0 {
		t.Fatalf("window %d after everything is done", b.inFlight())
	}
}

func TestUncommittedSaysWhatIsHandedOut(t *testing.T) {
	type slot struct {
		seq       uint64
		handedOut bool
	}
	tests := []struct {
		name       string
		perMessage bool
		ack        streamer.AckPolicy
		want       []slot
	}{
		{"cursor", false, streamer.AckManual, []slot{{3, true}, {4, false}}},
		{"per message", true, streamer.AckManual, []slot{{2, true}, {3, true}, {4, false}}},
		{"at most once: what was handed out is committed", false, streamer.AckOnDelivery, []slot{{4, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBook(sessionOptions{mode: streamer.Resumable, ack: tt.ack}, 4)
			runOf(b.messages[0]).taken[0] = 0b0111
			b.saved = streamer.SeqUint(2)        // the cursor that was committed
			runOf(b.messages[0]).save(0, 0b0001) // what was told per message
			var got []slot
			b.uncommitted(tt.perMessage, func(seq streamer.SeqNo, handedOut bool) bool {
				got = append(got, slot{seq.Uint(), handedOut})
				return true
			})
			if !slices.Equal(got, tt.want) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestInWorkCountsWhatTheProgramHolds(t *testing.T) {
	b := newBook(resumable, 65, 64)
	if b.inWork() != 0 {
		t.Fatal("nothing is handed out")
	}
	b.takeAll()
	ackAll(b.messages[60:70])
	if got := b.inWork(); got != 119 {
		t.Fatalf("%d in work, want 119", got)
	}
	b.ackTaken()
	if b.advance(); b.inWork() != 0 || b.mark != streamer.SeqUint(129) {
		t.Fatalf("after ackTaken: %d in work, mark %v", b.inWork(), b.mark)
	}
}

func TestAckCountsOnceAndCopiesAcknowledgeTheMessage(t *testing.T) {
	b := newBook(resumable, 2)
	byValue := *b.messages[0]
	clone := b.messages[1].Clone()
	if !byValue.Ack() || b.messages[0].Ack() || byValue.Ack() {
		t.Error("exactly the first Ack, on the copy, counts")
	}
	if !b.messages[1].Ack() || clone.Ack() {
		t.Error("exactly the first Ack, on the original, counts")
	}
}

func TestNewMessageCallsAckOnce(t *testing.T) {
	n := 0
	m := streamer.NewMessage(streamer.Meta{Stream: "s"}, nil, nil, nil, func() { n++ })
	if !m.Ack() || m.Ack() || n != 1 {
		t.Errorf("ack was called %d times, want once", n)
	}
	if m := streamer.NewMessage(streamer.Meta{}, nil, nil, nil, nil); !m.Ack() || m.Ack() {
		t.Error("without a function Ack counts once too")
	}
	if (&streamer.Message{}).Ack() {
		t.Error("the zero Message has nothing to acknowledge")
	}
}
