// Package examples_test runs the eight examples, unchanged, on every backend
// and expects the same output from all of them.
package examples_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gostreamer/streamer/internal/testservers"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(testservers.Main(m), goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(built)
		os.Exit(code)
	}))
}

// backends is the table to extend: a new backend is one row. open returns nil
// where the server that it needs is missing.
var backends = []struct {
	name string
	open func(t *testing.T) *rig
}{
	{"memory", openMemory("shards=1", true)},
	{"memory-by-message", openMemory("acks=message", false)},
	{"memory-dealt", openMemory("groups=dealt", true)},
	{"file", openFile},
	{"file-followed", openFollowedFile},
	{"stdio", openStdio},
	{"redis", openRedis},
	{"redis-cluster", openRedisCluster},
	{"kafka", openKafka},
}

// scenarios, one per example.
var scenarios = []struct {
	example string
	run     func(t *testing.T, r *rig)
}{
	{"producer", testProducer},
	{"consumer", testConsumer},
	{"processor", testProcessor},
	{"resumable", testResumable},
	{"workers", testWorkers},
	{"tail", testTail},
	{"batching", testBatching},
	{"fanout", testFanout},
}

func TestTheEightExamplesDoTheSameOnEveryBackend(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			for _, s := range scenarios {
				t.Run(s.example, func(t *testing.T) {
					if r := b.open(t); r != nil {
						s.run(t, r)
					}
				})
			}
		})
	}
}

// count is how many orders a scenario sends: more than one fetch brings.
const count = 2500

// orders are the lines that a faithful reader of the producer's orders prints.
func orders() []string {
	customers := []string{"alice", "bob", "carol"}
	lines := make([]string, count)
	for i := range lines {
		lines[i] = fmt.Sprintf("%s: order %d", customers[i%len(customers)], i+1)
	}
	return lines
}

// loudOrders are the processor's.
func loudOrders() []string {
	lines := orders()
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], "order", "ORDER")
	}
	return lines
}

func produce(t *testing.T, r *rig) {
	t.Helper()
	r.start(t, "producer", "", "orders", strconv.Itoa(count)).wait(t)
}

// read runs an example over the orders until it has printed all of them.
func read(t *testing.T, r *rig, example string, extra ...string) []string {
	t.Helper()
	produce(t, r)
	p := r.start(t, example, "orders", "", extra...)
	p.finish(t, count)
	return p.lines()
}

func testProducer(t *testing.T, r *rig) {
	r.start(t, "producer", "", "orders").wait(t) // ten, when it is not told how many
	p := r.start(t, "consumer", "orders", "")
	p.finish(t, 10)
	same(t, orders()[:10], p.lines())
}

func testConsumer(t *testing.T, r *rig) { same(t, orders(), read(t, r, "consumer")) }

func testBatching(t *testing.T, r *rig) { same(t, orders(), read(t, r, "batching")) }

func testFanout(t *testing.T, r *rig) { sameSet(t, orders(), read(t, r, "fanout", "4")) }

func testWorkers(t *testing.T, r *rig) {
	lines := read(t, r, "workers", "3")
	worker := regexp.MustCompile(`^worker (\d): `)
	owner := map[string]string{} // by customer
	for i, line := range lines {
		id := worker.FindStringSubmatch(line)
		if id == nil {
			t.Fatalf("line %d is %q", i, line)
		}
		lines[i] = line[len(id[0]):]
		customer, _, _ := strings.Cut(lines[i], ":")
		if before, known := owner[customer]; known && before != id[1] && r.keyStays {
			t.Fatalf("%s was with worker %s and went to worker %s", customer, before, id[1])
		}
		owner[customer] = id[1]
	}
	sameSet(t, orders(), lines)
}

func testProcessor(t *testing.T, r *rig) {
	produce(t, r)
	p := r.start(t, "processor", "orders", "loud")
	if r.ends {
		p.wait(t)
	}
	c := r.start(t, "consumer", "loud", "")
	c.finish(t, count)
	p.stop(t)
	p.wait(t)
	same(t, loudOrders(), c.lines())
}

func testResumable(t *testing.T, r *rig) {
	produce(t, r)
	if r.refusesResumable {
		p := r.start(t, "resumable", "orders", "")
		if err := p.end(t); !strings.Contains(err, "not supported") {
			t.Fatalf("want a refusal, got %q", err)
		}
		return
	}
	var lines []string
	for _, n := range []int{5, 1, 1000, 7} {
		p := r.start(t, "resumable", "orders", "", strconv.Itoa(n))
		p.wait(t)
		lines = append(lines, p.lines()...)
	}
	same(t, orders()[:5+1+1000+7], lines)
}

func TestExamplesMakeAPipeline(t *testing.T) {
	const pipeline = `producer 'stdio:///orders?format=json' 2500 |
		processor 'stdio:///orders?format=json' 'stdio:///loud?format=json' |
		consumer 'stdio:///loud?format=json'`
	cmd := exec.CommandContext(t.Context(), "bash", "-c", "set -o pipefail; PATH="+binaries(t)+"; "+pipeline)
	cmd.Env = environment()
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	same(t, loudOrders(), strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"))
}

func testTail(t *testing.T, r *rig) {
	if r.pipe {
		produce(t, r)
	}
	p := r.startLive(t, "tail", "orders")
	if !r.pipe {
		p.logged(t, "following")
		produce(t, r)
	}
	p.finish(t, count)
	same(t, orders(), p.lines())
}

func TestAProcessorThatIsStoppedLosesAndRepeatsNothing(t *testing.T) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			r := b.open(t)
			if r != nil && !r.ends && !r.refusesResumable { // else its input ends before it can be stopped, or it keeps no position
				stopHalfWay(t, r)
			}
		})
	}
}

// stopHalfWay stops a processor in the middle of its work, starts it again and
// expects each order once.
func stopHalfWay(t *testing.T, r *rig) {
	t.Helper()
	const group = "mode=resumable&group=loud"
	c := r.start(t, "consumer", "loud", "")
	p := r.startWith(t, "processor", "orders", "loud", group)
	orders := r.start(t, "producer", "", "orders", strconv.Itoa(count))
	c.printed(t, count/10)
	p.stop(t)
	p.wait(t)
	t.Logf("stopped after %d of %d", c.stdout.count(), count)
	orders.wait(t)
	p = r.startWith(t, "processor", "orders", "loud", group)
	produce(t, r) // what comes of these shows that it runs: a program that is only starting can't be asked to stop
	c.printed(t, 2*count)
	p.stop(t)
	p.wait(t)
	c.stop(t)
	c.wait(t)
	if n := c.stdout.count(); n != 2*count {
		t.Fatalf("%d orders in, %d out", 2*count, n)
	}
}

func sameSet(t *testing.T, want, got []string) {
	t.Helper()
	slices.Sort(want)
	slices.Sort(got)
	same(t, want, got)
}

func same(t *testing.T, want, got []string) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("line %d of %d: want %q, got %q", i+1, len(got), want[i], got[i])
		}
	}
	if len(want) != len(got) {
		t.Fatalf("want %d lines, got %d", len(want), len(got))
	}
}
