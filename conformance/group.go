package conformance

import (
	"fmt"
	"sync"

	"github.com/gostreamer/streamer"
)

func groupCases() []testCase {
	return []testCase{
		{name: "members-split-the-work", run: membersSplit},
		{name: "a-key-stays-with-one-member", needs: []Part{Keys}, run: keyStaysWithMember},
		{name: "every-group-gets-all", run: everyGroupGetsAll},
		{name: "a-closed-member's-messages-reach-another", run: closedMember},
		{name: "a-closed-streamer's-messages-reach-another", run: closedProgram},
		{name: "a-killed-member's-messages-reach-another", needs: []Part{Resuming, Killing}, run: killedMember},
		{name: "members-come-and-go", run: membersComeAndGo},
		{name: "a-slow-member-does-not-hoard", run: slowMember},
		{name: "work-in-progress-outlasts-a-rebalance", run: workOutlastsRebalance},
		{name: "a-group-must-be-named", run: groupMustBeNamed},
		{name: "a-group-without-a-mode-divides-the-work", run: groupWithoutMode},
		{name: "realtime-has-no-group", run: realtimeWithGroup},
	}
}

// members opens n members of the case's group, every other one in a program of
// its own, and returns when the work is divided.
func (b *bed) members(n int) []streamer.Consumer {
	b.Helper()
	members := make([]streamer.Consumer, n)
	for i := range members {
		s := b.streamer()
		if i%2 == 1 {
			s = b.connect()
		}
		members[i] = b.consumerOn(s, b.balanced())
	}
	b.settle(members...)
	return members
}

// settle waits until every member that can own a shard owns one and every shard
// has one owner. Where messages are shared a member has its share from the
// moment it is open.
func (b *bed) settle(members ...streamer.Consumer) {
	b.Helper()
	if b.Groups != Owned {
		return
	}
	b.await(fmt.Sprintf("%d members to own the shards", len(members)), func() bool {
		owned := make(map[streamer.StreamShard]int)
		for _, m := range members {
			shards := m.Assignment()
			for _, s := range shards {
				owned[s]++
			}
			if len(shards) == 0 {
				return false
			}
		}
		for _, owners := range owned {
			if owners != 1 {
				return false
			}
		}
		return len(owned) == b.plan.Streams*b.plan.Shards
	})
}

// tally acknowledges everything and counts what each taker got.
type tally struct {
	mu  sync.Mutex
	got map[int]int
}

func (t *tally) enter(taker int, m *streamer.Message) error {
	m.Ack()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.got == nil {
		t.got = make(map[int]int)
	}
	t.got[taker]++
	return nil
}

// membersSplit sends until every member has got something, which is at once
// where the work is divided beforehand. First come, first served, may take a
// few rounds.
func membersSplit(b *bed) {
	const shards, rounds = 4, 20
	b.open(Plan{Shards: shards})
	members := b.members(3)
	n, p, t := b.Messages, b.producer(), tally{}
	for round := 0; len(t.got) < len(members); round++ {
		if round == rounds || (round > 0 && b.Groups != Shared) {
			b.Fatalf("a member got nothing of %d messages: %v", round*n, t.got)
		}
		join := b.background("sending", func() error {
			_, err := b.trySend(p, numbered(round*n, (round+1)*n, shards)...)
			return err
		})
		copies := b.gather(n, t.enter, members...)
		join()
		if d := duplicates(copies); d > 0 {
			b.Fatalf("%d messages reached two members", d)
		}
	}
}

// keyStaysWithMember holds where shards are owned, and where messages are dealt
// by key.
func keyStaysWithMember(b *bed) {
	const shards, keys = 6, 60
	b.open(Plan{Shards: shards})
	members := b.members(3)
	n := b.Messages
	p := b.producer()
	join := b.background("sending", func() error {
		_, err := b.trySend(p, keyed(0, n, keys)...)
		return err
	})
	var mu sync.Mutex
	holder := make(map[string]int)
	b.gather(n, func(taker int, m *streamer.Message) error {
		m.Ack()
		mu.Lock()
		defer mu.Unlock()
		if before, ok := holder[string(m.Key)]; ok && before != taker && b.Groups != Shared {
			return fmt.Errorf("%s went to member %d and then to member %d", m.Key, before, taker)
		}
		holder[string(m.Key)] = taker
		return nil
	}, members...)
	join()
	busy := make(map[int]bool)
	for _, taker := range holder {
		busy[taker] = true
	}
	if len(busy) != len(members) && b.Groups != Shared {
		b.Errorf("%d keys in %d shards are with %d of %d members", keys, shards, len(busy), len(members))
	}
}

func everyGroupGetsAll(b *bed) {
	b.open(Plan{Shards: 2})
	one, two := b.balanced(), b.balanced()
	two.Group += "-too"
	consumers := []streamer.Consumer{b.consumer(one), b.consumer(two)}
	b.sendN(0, 100, 2)
	for i, c := range consumers {
		if err := b.seesAll(c, 100); err != nil {
			b.Errorf("group %d: %v", i, err)
		}
	}
}

// closedMember: what a member has not acknowledged, and what it has fetched and
// not handed out, goes to the other; nothing else is redelivered.
func closedMember(b *bed) {
	b.open(Plan{Shards: 2})
	leaving := b.consumer(b.balanced())
	b.sendN(0, 100, 2)
	held := b.take(leaving, 20)
	b.ack(held[:10]...)
	staying := b.consumerOn(b.connect(), b.balanced())
	b.close(leaving)
	b.afterLeaving(staying, held, 100)
}

// closedProgram is closedMember by Streamer.Close.
func closedProgram(b *bed) {
	b.open(Plan{Shards: 2})
	program := b.connect()
	leaving := b.consumerOn(program, b.balanced())
	staying := b.consumer(b.balanced())
	b.settle(leaving, staying)
	b.sendN(0, 100, 2)
	held := b.take(leaving, 6)
	b.ack(held[:3]...)
	b.close(program)
	b.afterLeaving(staying, held, 100)
}

// afterLeaving takes everything of n messages but what the member that left had
// acknowledged, which is the first half of what it held.
func (b *bed) afterLeaving(staying streamer.Consumer, held []*streamer.Message, n int) {
	b.Helper()
	acked := make(map[int]bool)
	for _, m := range held[:len(held)/2] {
		acked[number(m)] = true
	}
	copies := b.gather(n-len(acked), func(_ int, m *streamer.Message) error {
		m.Ack()
		if acked[number(m)] {
			return fmt.Errorf("message %d was acknowledged before its member closed and was redelivered", number(m))
		}
		return nil
	}, staying)
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages came twice to one member", d)
	}
}

func killedMember(b *bed) {
	b.open(Plan{Shards: 2})
	b.sendN(0, 60, 2)
	child := b.spawn(errand{Mode: streamer.LoadBalanced, Group: b.group, Take: 20, Ack: 20, Commit: 10})
	child.kill()
	committed := make(map[int]bool)
	for _, n := range child.got[:10] {
		committed[n] = true
	}
	copies := b.gather(50, func(_ int, m *streamer.Message) error {
		if committed[number(m)] {
			return fmt.Errorf("message %d was committed before the kill and was redelivered", number(m))
		}
		return nil
	}, b.reopen(b.balanced()))
	for _, n := range child.got[10:] {
		if copies[n] == 0 {
			b.Errorf("message %d was held by the killed member and reached no member", n)
		}
	}
}

// slowMember holds its first message for ever. Where messages are shared
// another member gets all the others; where shards are owned, those of its own
// shards.
func slowMember(b *bed) {
	const shards, n = 2, 200
	b.open(Plan{Shards: shards})
	members := b.members(2)
	slow, quick := members[0], members[1]
	b.sendN(0, n, shards)
	held := b.next(slow, "the slow member's only message")
	want := n - 1
	if b.Groups == Owned {
		want = n / shards
	}
	copies := b.gather(want, func(_ int, m *streamer.Message) error {
		m.Ack()
		if number(m) == number(held) {
			return fmt.Errorf("message %d, which a live member holds, was given to another", number(m))
		}
		return nil
	}, quick)
	if d := duplicates(copies); d > 0 {
		b.Errorf("%d messages came twice", d)
	}
	b.ack(held)
}

// groupMustBeNamed: a group without a name is refused by the call that asks for
// it.
func groupMustBeNamed(b *bed) {
	b.open(Plan{})
	unnamed := b.balanced()
	unnamed.Group = ""
	_, err := b.tryConsumer(b.streamer(), unnamed)
	b.is("LoadBalanced without Group", err, streamer.ErrInvalid)
}
