package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain is also the workers' program: the demo starts the executable it runs
// in. With DEMO_LOSES it conceals that an order was finished, as if the order
// had been lost.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-work") {
		os.Exit(workersProgram())
	}
	goleak.VerifyTestMain(m)
}

func workersProgram() int {
	work := flag.NewFlagSet("workers", flag.ContinueOnError)
	work.Bool("work", true, "")
	dir := work.String("dir", "", "")
	crew := work.String("crew", "", "")
	leaver := work.String("leaver", "", "")
	if err := work.Parse(os.Args[1:]); err != nil {
		return 2
	}
	ctx := untilClosed(context.Background(), os.Stdin)
	if err := runWorkers(ctx, *dir, *crew, *leaver, forgetful{os.Stdout, os.Getenv("DEMO_LOSES")}); err != nil {
		return 1
	}
	return 0
}

// forgetful drops what is said about an order being finished.
type forgetful struct {
	io.Writer
	order string
}

func (f forgetful) Write(p []byte) (int, error) {
	words := strings.Fields(string(p))
	if words[0] == string(finished) && words[2] == f.order {
		return len(p), nil
	}
	return f.Writer.Write(p)
}

func TestTheDemoAccountsForEveryOrder(t *testing.T) {
	var out bytes.Buffer
	s := story{dir: t.TempDir(), out: &out, patience: 30 * time.Second}
	if err := s.tell(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"\nOK: ", "lost            0\n", "Carl's 200 orders: 200 were given to the others, 0 are missing",
		"Dora's process is killed (SIGKILL).", "The program is killed (SIGKILL)."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 81 {
			t.Errorf("a line has %d characters: %s", len(line), line)
		}
	}
}

func TestTheDemoFailsWhenASingleOrderIsLost(t *testing.T) {
	t.Setenv("DEMO_LOSES", "77")
	var out bytes.Buffer
	s := story{dir: t.TempDir(), out: &out, patience: 5 * time.Second}
	if err := s.tell(t.Context()); err == nil || !strings.Contains(err.Error(), "1 order is lost") {
		t.Fatalf("got %v\n%s", err, out.String())
	}
}
