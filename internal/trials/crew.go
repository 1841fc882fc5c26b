package trials

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Crew is a group whose members are processes.
type Crew struct {
	*Trial
	URI, Group string

	// Uncommitted are, of the messages that a member got, those which its group
	// has not committed. It is asked when the member is dead, and answers
	// before another member may have taken over.
	Uncommitted func(m *Member, got []Entry) []Entry

	// Doomed is called before a member is killed, if it is not nil: where
	// others take over at once, it can stop the process and see what is
	// committed.
	Doomed func(pid int)

	Kills, Leaves int

	present []*Member
	past    []*Member
	killed  map[*Member]map[string]bool // what each killed one had uncommitted, by place
	empty   int                         // SIGKILLs that found nothing uncommitted
}

// Join starts members and waits until each has taken messages beyond those it
// keeps in hand.
func (c *Crew) Join(n int) {
	c.Helper()
	c.Start(n)
	c.AwaitAll()
}

// Start starts members.
func (c *Crew) Start(n int) {
	c.Helper()
	for range n {
		name := fmt.Sprint(c.Group, "-", len(c.past)+len(c.present))
		c.present = append(c.present, c.enlist(errand{c.URI, c.Group, name}))
	}
}

// AwaitAll waits until each of the members that are present has taken messages
// beyond those it keeps in hand.
func (c *Crew) AwaitAll() {
	c.Helper()
	for _, m := range c.present {
		c.Eventually(m.Name+" takes messages", func() bool { return m.delivered() > 2*inHand || m.ended() })
		if m.ended() {
			c.Fatalf("%s ended by itself: %v", m.Name, m.gone())
		}
	}
}

// LoseOne makes one of the members leave or, more often, kills it.
func (c *Crew) LoseOne(random *rand.Rand) {
	c.Helper()
	i := random.IntN(len(c.present))
	m := c.present[i]
	c.present = slices.Delete(c.present, i, i+1)
	c.past = append(c.past, m)
	if random.IntN(3) == 0 {
		c.Leaves++
		c.Must("a member that leaves", m.leave())
		return
	}
	c.Kills++
	c.kill(m)
}

// kill notes what the member had not committed.
func (c *Crew) kill(m *Member) {
	c.Helper()
	if c.Doomed != nil {
		c.Doomed(m.cmd.Process.Pid)
	}
	_ = m.kill()
	if c.killed == nil {
		c.killed = map[*Member]map[string]bool{}
	}
	c.killed[m] = map[string]bool{}
	for _, e := range c.Uncommitted(m, entriesAt(m.got)) {
		c.killed[m][e.place()] = true
	}
	if len(c.killed[m]) == 0 {
		c.empty++
	}
}

// entriesAt reads places back.
func entriesAt(places []string) []Entry {
	all := make([]Entry, len(places))
	for i, p := range places {
		_, _ = fmt.Sscan(p, &all[i].Shard, &all[i].Seq)
	}
	return all
}

// Missing says how many of these entries no member has had.
func (c *Crew) Missing(all []Entry) int {
	had := map[string]bool{}
	for _, m := range slices.Concat(c.present, c.past) {
		m.mu.Lock()
		for _, place := range m.got {
			had[place] = true
		}
		m.mu.Unlock()
	}
	missing := 0
	for _, e := range all {
		if !had[e.place()] {
			missing++
		}
	}
	return missing
}

// Settle lets all members leave, when the group has had all that the server
// has, and counts.
func (c *Crew) Settle(all []Entry) {
	c.Helper()
	for len(c.present) > 0 {
		m := c.present[0]
		c.present, c.past = c.present[1:], append(c.past, m)
		c.Must("a member that leaves", m.leave())
	}
	copies, wrong := c.deliveries()
	lost, repeated := 0, 0
	for _, e := range all {
		switch n := copies[e.place()]; {
		case n == 0:
			lost++
		case n > 1:
			repeated++
		}
	}
	c.Logf("group %s: %d leaves, %d kills, %d of these with nothing uncommitted; on the server %d; lost %d, delivered again %d, of these committed before %d; balance %v",
		c.Group, c.Leaves, c.Kills, c.empty, len(all), lost, repeated, len(wrong), c.balance())
	for _, m := range c.past {
		if len(m.lost) > 0 {
			c.Logf("%s lost shards while it was there: %v", m.Name, m.lost)
		}
	}
	if lost > 0 || len(wrong) > 0 {
		c.Errorf("want none lost, none committed delivered again: %v", wrong[:min(len(wrong), 20)])
	}
	if c.empty > c.Kills/4 { // a member whose group is being shared again may have nothing for a moment
		c.Errorf("%d of %d members had nothing in hand when they were killed", c.empty, c.Kills)
	}
}

// deliveries counts the copies of each message, and names those which came
// though a member that had it is still responsible, or had committed it.
func (c *Crew) deliveries() (copies map[string]int, wrong []string) {
	copies = map[string]int{}
	excused := map[string]int{}
	for _, m := range c.past {
		for _, place := range m.got {
			copies[place]++
			if c.killed[m][place] {
				excused[place]++
			}
		}
	}
	for place, n := range copies {
		if n > 1+excused[place] {
			wrong = append(wrong, place)
		}
	}
	return copies, wrong
}

// balance is how many messages each of the members took.
func (c *Crew) balance() []int {
	var list []int
	for _, m := range c.past {
		list = append(list, len(m.got))
	}
	return list
}

// Random is a source of random numbers, and its seed.
func Random() (*rand.Rand, uint64) {
	seed := uint64(time.Now().UnixNano())
	return rand.New(rand.NewPCG(seed, 0)), seed
}
