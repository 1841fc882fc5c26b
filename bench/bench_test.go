package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer/internal/testservers"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(testservers.Main(m),
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick")) // sarama's, one per process, for good
}

// What measures the heap comes first: others leave things behind that are freed
// while it measures.

func TestIdleShardsAreMeasuredInBothModes(t *testing.T) {
	all, err := idle(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.bare <= 0 || f.engine <= f.bare || f.goroutines < 1 {
			t.Errorf("%+v", f)
		}
	}
	if len(all) != 2 {
		t.Errorf("%d modes", len(all))
	}
}

// waiting is enough for what is held to stand out.
const waiting = 20_000

func TestConsumersOfAServerAreMeasuredWhileNothingHappens(t *testing.T) {
	if testservers.Redis(t) == "" {
		return
	}
	all, err := redisIdle(t.Context(), 3, 100*time.Millisecond)
	if err != nil || len(all) != 3 {
		t.Errorf("%+v, %v", all, err)
	}
	held, err := redisStalled(t.Context(), waiting)
	if err != nil || held < waiting*payload/2 {
		t.Errorf("%d bytes are held, %v", held, err)
	}
	if text := standstillTable(all, held); !strings.Contains(text, "load-balanced") {
		t.Error(text)
	}
}

func TestAConsumerOfABrokerIsMeasuredWhileNothingHappens(t *testing.T) {
	if testservers.Kafka(t) == "" {
		return
	}
	if cpu, err := kafkaQuiet(t.Context(), 100*time.Millisecond); err != nil || cpu <= 0 {
		t.Errorf("%v of a core, %v", cpu, err)
	}
	if held, err := kafkaStalled(t.Context(), waiting); err != nil || held < waiting*payload/2 {
		t.Errorf("%d bytes are held, %v", held, err)
	}
}

// Both sides of a case process every message: measure refuses any other number.
func TestEveryCaseRuns(t *testing.T) {
	cases := allCases()
	for i := range cases {
		c := &cases[i]
		t.Run(c.name, func(t *testing.T) {
			if isRedis(c.name) && testservers.Redis(t) == "" {
				return
			}
			if isKafka(c.name) && testservers.Kafka(t) == "" {
				return
			}
			r, err := c.run(t.Context(), effort{rounds: 1, messages: 1200})
			if err != nil {
				t.Fatal(err)
			}
			if r.subject.ns <= 0 || r.control.ns <= 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestCaseNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range allCases() {
		if seen[c.name] {
			t.Errorf("two cases are called %s", c.name)
		}
		seen[c.name] = true
	}
}

func TestATrialThatLosesAMessageIsAnError(t *testing.T) {
	b := &bed{messages: 10}
	for _, n := range []int{9, 11} {
		_, err := b.measure(func() (trial, error) {
			return trial{run: func() (int, error) { return n, nil }}, nil
		}, 0)
		if err == nil {
			t.Errorf("%d of 10 messages passed", n)
		}
	}
}

func TestATrialEndsAlsoWhenItFails(t *testing.T) {
	b, failure, ended := &bed{messages: 1}, errors.New("failure"), false
	_, err := b.measure(func() (trial, error) {
		return trial{
			run: func() (int, error) { return 0, failure },
			end: func() error { ended = true; return nil },
		}, nil
	}, 0)
	if !errors.Is(err, failure) || !ended {
		t.Errorf("error %v, ended %v", err, ended)
	}
}

func TestTheMedianIsTakenOfEachColumn(t *testing.T) {
	got := median([]cost{{1, 30, 3, 5}, {3, 10, 1, 5}, {2, 20, 2, 8}})
	if got != (cost{2, 20, 2, 5}) {
		t.Errorf("%+v", got)
	}
	if got := median([]cost{{ns: 1}, {ns: 2}}); got.ns != 1.5 {
		t.Errorf("%+v", got)
	}
}

func TestGoals(t *testing.T) {
	r := result{subject: cost{ns: 300, allocs: 1.04}, control: cost{ns: 100}}
	for _, x := range []struct {
		goal   goal
		text   string
		missed string
	}{
		{goal{}, "", ""},
		{goal{share: 200, ratio: 3, total: 300, allocs: allocs(1)}, "≤ 300 ns, share ≤ 200 ns, ≤ 3×, 1 allocations", ""},
		{goal{share: 199}, "share ≤ 199 ns", "share"},
		{goal{ratio: 2.9}, "≤ 2.9×", "ratio"},
		{goal{total: 299, allocs: allocs(0)}, "≤ 299 ns, 0 allocations", "ns, allocations"},
		{goal{rate: 3e6}, "≥ 3.00 M/s", ""},
		{goal{rate: 4e6}, "≥ 4.00 M/s", "messages/s"},
	} {
		if got := x.goal.String(); got != x.text {
			t.Errorf("%q, want %q", got, x.text)
		}
		if got := strings.Join(x.goal.missed(r), ", "); got != x.missed {
			t.Errorf("%v misses %q, want %q", x.goal, got, x.missed)
		}
	}
}

func TestThePageKeepsWhatIsAroundTheFigures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	old := "# Title\n\n" + beginMark + "\n\nold\n\n" + endMark + "\n\nEnd.\n"
	if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := updatePage(path, "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if want := strings.ReplaceAll(old, "old", "new"); err != nil || string(text) != want {
		t.Errorf("%q, want %q: %v", text, want, err)
	}
	if _, err := splice("no marks", ""); err == nil {
		t.Error("a page without marks was accepted")
	}
}

func TestThePageOfTheRepositoryHasTheMarks(t *testing.T) {
	page, err := os.ReadFile("../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := splice(string(page), ""); err != nil {
		t.Error(err)
	}
}

func TestFlags(t *testing.T) {
	s, err := parse([]string{"-run", "^send", "-rounds", "3", "-time", "1s", "-o", "x.md", "-heap", "5"})
	if err != nil || s.heap != 5 || !s.matches("send/x") || s.matches("file/x") || s.effort.rounds != 3 || s.effort.budget.Seconds() != 1 || s.page != "x.md" {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := parse(nil); err != nil || !s.matches("anything") || s.effort.rounds < 5 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestFigures(t *testing.T) {
	for v, want := range map[float64]string{0: "0.00", 1.234: "1.23", 9.996: "10.0", 12.34: "12.3", 99.96: "100", 1234.5: "1234", -12.34: "-12.3"} {
		if got := figure(v); got != want {
			t.Errorf("figure(%v) is %q, want %q", v, got, want)
		}
	}
	for ns, want := range map[float64]string{100: "10.0 M", 2000: "500 k", 2e6: "500"} {
		if got := perSecond(ns); got != want {
			t.Errorf("perSecond(%v) is %q, want %q", ns, got, want)
		}
	}
}

func TestTheTableHasAColumnForEachHeading(t *testing.T) {
	c := &benchCase{name: "section/case", control: "bare", goal: goal{ratio: 3}}
	text := (&report{command: "command", results: []result{{of: c, subject: cost{ns: 2}, control: cost{ns: 1}, peers: []standing{{peer: peer{name: "peer"}}}}}, idle: []footprint{{}}}).markdown()
	columns := 0
	for line := range strings.Lines(text) {
		switch n := strings.Count(line, "|"); {
		case n == 0:
			columns = 0
		case columns == 0:
			columns = n
		case n != columns:
			t.Errorf("%d columns, not %d: %s", n-1, columns-1, line)
		}
	}
	if !regexp.MustCompile(`(?s)### section\n.*\| case \|.*### idle`).MatchString(text) {
		t.Errorf("sections are missing:\n%s", text)
	}
}
