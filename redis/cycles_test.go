package redis_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gostreamer/streamer/internal/testservers"
)

// crew is a group whose members are processes.
type crew struct {
	*trial
	server  *testservers.RedisServer
	uri     string
	present []*member
	past    []*member
	killed  map[*member]map[string]bool // what each killed one had uncommitted, by place
	empty   int                         // SIGKILLs that found nothing uncommitted
}

// TestMembersComeAndGo: members of one group join, leave and are killed, all with messages in hand, while records are sent. No message is lost,
// and only what was uncommitted at a SIGKILL comes again.
func TestMembersComeAndGo(t *testing.T) {
	trial := newTrial(t)
	server := testservers.StartRedis(t, testservers.RedisOptions{})
	if server == nil {
		return
	}
	base := "redis://" + server.Addr() + "/orders?create=always"
	c := &crew{trial: trial, server: server, uri: base + "&claim_idle=2s&claim_interval=100ms", killed: map[*member]map[string]bool{}}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	f := trial.flow(trial.producer(trial.connect(base)), pace{burst: 5, every: 5 * time.Millisecond})
	for range 3 {
		c.join()
	}
	cycles := soak(50, 1000)
	kills, leaves := 0, 0
	for range cycles {
		i := random.IntN(len(c.present))
		if random.IntN(3) == 0 {
			c.leave(i)
			leaves++
		} else {
			c.kill(i)
			kills++
		}
		c.join()
	}
	f.stop()
	t.Logf("seed %d: %d cycles, %d leaves, %d kills, %d of these with nothing uncommitted", seed, cycles, leaves, kills, c.empty)
	c.settle(f)
}

// join starts a member and waits until it has taken messages beyond those it keeps in hand.
func (c *crew) join() {
	c.Helper()
	m := c.enlist(c.uri, fmt.Sprint("m", len(c.past)+len(c.present)))
	c.present = append(c.present, m)
	c.eventually(m.name+" takes messages", func() bool { return m.delivered() > 2*inHand || c.ended(m) })
	if c.ended(m) {
		c.Fatalf("%s ended by itself: %v", m.name, m.err)
	}
}

func (c *crew) ended(m *member) bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

func (c *crew) remove(i int) *member {
	m := c.present[i]
	c.present = slices.Delete(c.present, i, i+1)
	c.past = append(c.past, m)
	return m
}

func (c *crew) leave(i int) {
	c.Helper()
	m := c.remove(i)
	c.must("a member that leaves", m.leave())
}

// kill notes what the member had not committed: what is pending in its name when it is dead. Others take that over no sooner than it was idle
// for claim_idle.
func (c *crew) kill(i int) {
	c.Helper()
	m := c.remove(i)
	_ = m.kill()
	c.killed[m] = map[string]bool{}
	for _, p := range c.server.Do("XPENDING", "orders", "g", "-", "+", "100000", m.name).([]any) {
		c.killed[m]["0 "+p.([]any)[0].(string)] = true
	}
	if len(c.killed[m]) == 0 {
		c.empty++
	}
}

// settle waits until the group is done with all there is, lets everybody leave, and counts.
func (c *crew) settle(f *flow) {
	c.Helper()
	c.eventually("the group is done but for what its members keep in hand", func() bool {
		group := c.server.Do("XINFO", "GROUPS", "orders").([]any)[0].([]any)
		pending, lag := group[5], group[11]
		return lag == int64(0) && pending.(int64) <= int64(inHand*len(c.present))
	})
	for len(c.present) > 0 {
		c.leave(0)
	}
	copies, wrong := c.deliveries()
	all := entries(c.trial, c.server, "orders")
	lost, repeated := 0, 0
	for _, e := range all {
		switch n := copies["0 "+e.id]; {
		case n == 0:
			lost++
		case n > 1:
			repeated++
		}
	}
	c.Logf("sent %d, stored %d, on the server %d; lost %d, delivered again %d, of these committed before %d; balance %v",
		f.sent, len(f.stored), len(all), lost, repeated, wrong, c.balance())
	pending := c.server.Do("XPENDING", "orders", "g").([]any)[0]
	if lost > 0 || wrong > 0 || pending != int64(0) || len(all) != len(f.stored) {
		c.Errorf("want none lost, none committed delivered again, nothing pending (%v), and stored what is there", pending)
	}
	if c.empty > len(c.killed)/10 {
		c.Errorf("%d of %d members had nothing in hand when they were killed", c.empty, len(c.killed))
	}
}

// deliveries counts the copies of each message, and those which came though a member that had it is still responsible, or had committed it.
func (c *crew) deliveries() (copies map[string]int, wrong int) {
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
			wrong++
		}
	}
	return copies, wrong
}

// balance is how many messages each of the members took that were there to the end, or left.
func (c *crew) balance() []int {
	var list []int
	for _, m := range c.past {
		list = append(list, len(m.got))
	}
	return list
}
