// Command bench measures what streamer costs, case by case, each in turn with a
// control: the same work without streamer. It prints what it finds and writes
// it into docs/benchmarks.md, which says how to read it, with a chart for each
// section.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	only   *regexp.Regexp // nil: all
	effort effort
	page   string
	heap   int   // bytes that the process holds while cases are measured
	large  int64 // bytes of the log that is replayed to see what it takes
}

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.Func("run", "only the cases whose names match this `regexp`; prints and leaves the page as it is", func(v string) (err error) {
		s.only, err = regexp.Compile(v)
		return err
	})
	flags.IntVar(&s.effort.rounds, "rounds", 7, "how often each side of a case has its turn: at least 1; the median counts")
	flags.DurationVar(&s.effort.budget, "time", 200*time.Millisecond, "how long a turn is, at least")
	flags.IntVar(&s.heap, "heap", 0, "how many `bytes` the process holds while cases are measured: the collector runs when about as much again was allocated")
	flags.Int64Var(&s.large, "large", 1<<30, "how many `bytes` the log has that is replayed to see how much memory that takes")
	flags.StringVar(&s.page, "o", "../docs/benchmarks.md", "the `page` to update")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.effort.rounds < 1 || s.heap < 0 || flags.NArg() > 0 {
		return s, fmt.Errorf("want -rounds of at least 1, -heap of at least 0 and no arguments")
	}
	return s, nil
}

func run(ctx context.Context, args []string) error {
	s, err := parse(args)
	if err == flag.ErrHelp {
		return nil
	}
	if err != nil {
		return err
	}
	r := report{command: strings.Join(append([]string{"cd bench && go run ."}, args...), " "), charts: filepath.Base(chartDir(s.page))}
	if r.results, err = s.measure(ctx); err != nil {
		return err
	}
	if s.matches("idle") {
		if r.idle, err = idle(ctx, idleShards); err != nil {
			return err
		}
		fmt.Print(idleTable(r.idle))
	}
	if err := s.further(ctx, &r); err != nil {
		return err
	}
	if s.only != nil {
		return nil
	}
	if err := updateCharts(s.page, r.results); err != nil {
		return err
	}
	return updatePage(s.page, r.markdown())
}

// further adds what has no control: what a large log takes, and what consumers
// of servers cost while nothing happens.
func (s *settings) further(ctx context.Context, r *report) error {
	limits := func(ctx context.Context) (string, error) { return fileLimits(ctx, s.large) }
	for name, measure := range map[string]func(context.Context) (string, error){
		"file/limits": limits, "redis/idle": redisStandstill, "kafka/idle": kafkaStandstill,
	} {
		if !s.matches(name) {
			continue
		}
		table, err := measure(ctx)
		if err != nil {
			return err
		}
		fmt.Print(table)
		r.further = append(r.further, table)
	}
	return nil
}

func (s *settings) matches(name string) bool { return s.only == nil || s.only.MatchString(name) }

// measure prints each result when it is there.
func (s *settings) measure(ctx context.Context) ([]result, error) {
	heap := make([]byte, s.heap)
	defer runtime.KeepAlive(heap)
	var all []result
	cases := allCases()
	for i := range cases {
		c := &cases[i]
		if !s.matches(c.name) {
			continue
		}
		r, err := c.run(ctx, s.effort)
		if err != nil {
			return nil, err
		}
		fmt.Println(r.line())
		all = append(all, r)
	}
	return all, ctx.Err()
}

// line is a result for a terminal.
func (r result) line() string {
	text := fmt.Sprintf("%-42s %7s/s %7s ns, control %6s, share %7s, %6s×, CPU %7s and %6s, %5.2f allocations, %5.0f bytes  %s",
		r.of.name, perSecond(r.subject.ns), figure(r.subject.ns), figure(r.control.ns), figure(r.share()), figure(r.ratio()),
		figure(r.subject.cpu), figure(r.control.cpu), r.subject.allocs, r.subject.bytes_, verdict(r.of.goal, r))
	for _, p := range r.peers {
		text += fmt.Sprintf("\n    %s times %s: %s/s, CPU %s %s %s", figure(p.speed), p.name, perSecond(p.cost.ns), figure(p.cost.cpu), p.goal(), p.verdict())
	}
	return text
}
