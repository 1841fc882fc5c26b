package stdio

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

// numbered is n lines that count from 0: with a stream that most of them name,
// of one of three shards.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		switch i % 4 {
		case 0:
			fmt.Fprintln(&b, i)
		default:
			fmt.Fprintf(&b, "[a | %d | %d] %d\n", i%2, i%4, i) // numbers repeat
		}
	}
	return b.String()
}

// values reads at most n messages, acknowledging each.
func values(t testing.TB, c streamer.Consumer, n int) (all []string) {
	t.Helper()
	for len(all) < n {
		m, err := c.Next(testContext(t))
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		m.Ack()
		all = append(all, string(m.Value))
	}
	return all
}

// upTo is the values of numbered(n).
func upTo(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprint(i)
	}
	return all
}

func closeNow(t testing.TB, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatAConsumerWasNotHandedIsTheNextOnes(t *testing.T) {
	const lines = 3000
	for name, o := range map[string]streamer.ConsumerOptions{
		"realtime":           {},
		"nothing ahead":      {Prefetch: 1},
		"little ahead":       {Prefetch: 17},
		"all ahead":          {Prefetch: 2 * lines},
		"group":              {Mode: streamer.LoadBalanced, Group: "g"},
		"group, at delivery": {Mode: streamer.LoadBalanced, Group: "g", Ack: streamer.AckOnDelivery},
	} {
		t.Run(name, func(t *testing.T) {
			s := connected(t, Config{In: strings.NewReader(numbered(lines))}, streamer.StreamerOptions{})
			var all []string
			for n := 1; len(all) < lines; n = n*2 + 1 {
				c := consumer(t, s, o)
				all = append(all, values(t, c, n)...)
				closeNow(t, c)
			}
			if !slices.Equal(all, upTo(lines)) {
				t.Errorf("%d messages, not each line once and in order", len(all))
			}
		})
	}
}

func TestWhatAStreamersConsumersWereNotHandedIsTheNextStreamers(t *testing.T) {
	const lines = 2000
	withStdin(t, numbered(lines))
	var all []string
	for _, n := range []int{0, 1, 700, lines} {
		s, err := streamer.Connect(testContext(t), "stdio:///a")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, values(t, consumer(t, s, streamer.ConsumerOptions{}), n)...)
		closeNow(t, s)
	}
	if !slices.Equal(all, upTo(lines)) {
		t.Errorf("%d messages, not each line once and in order", len(all))
	}
}

func TestWhatAGroupWasNotHandedIsTheNextOnes(t *testing.T) {
	const lines = 2000
	o := streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: "g", Ack: streamer.AckManual}
	s := connected(t, Config{In: strings.NewReader(numbered(lines))}, streamer.StreamerOptions{})
	quick, slow := consumer(t, s, o), consumer(t, s, o)
	all := append(values(t, quick, 100), values(t, slow, 3)...)
	closeNow(t, quick)
	closeNow(t, slow)
	rest := values(t, consumer(t, s, streamer.ConsumerOptions{}), lines)
	if len(rest) < lines/2 {
		t.Errorf("only %d lines were left", len(rest))
	}
	all = append(all, rest...)
	want := upTo(lines)
	slices.Sort(all)
	slices.Sort(want)
	if !slices.Equal(all, want) {
		t.Errorf("%d messages, not each line once", len(all))
	}
}

func TestALineIsLeftOnlyWhereNobodyElseReadsIt(t *testing.T) {
	in := newInput(strings.NewReader("[a] 1\n[b] 2\n3\n[a] 4\n"), maxLine)
	first, other := openOn(t, in, Line, "a"), openOn(t, in, Line, "b")
	first.held = first.next(3)
	first.close()
	if got := show(other.all()); got != "b/0#0=2 broadcast/0#0=3" {
		t.Errorf("who is open: %s", got)
	}
	if got := show(openOn(t, in, Line, "a").all()); got != "a/0#0=1 a/0#1=4" {
		t.Errorf("who opens next: %s", got)
	}
}

func TestWhatIsLeftAndNotFetchedIsLeftAgain(t *testing.T) {
	in := newInput(strings.NewReader("1\n2\n3\n4\n"), maxLine)
	first := openOn(t, in, Line, everyStream)
	first.c.MaxBatch = 3
	first.held = first.next(3)
	first.close()
	openOn(t, in, Line, everyStream).close()
	third := openOn(t, in, Line, everyStream)
	third.c.MaxBatch = 2
	third.held = third.next(2)[1:]
	third.close()
	if got := show(openOn(t, in, Line, everyStream).all()); got != "broadcast/0#1=2 broadcast/0#2=3 broadcast/0#3=4" {
		t.Error(got)
	}
}

func TestAnInheritedLineGoesToWhomItWouldHaveGoneTo(t *testing.T) {
	const input = "[a] 1\n[broadcast] 2\n3\n[b] 4\n"
	for stream, want := range map[string]string{
		"a":         "a/0#0=1 broadcast/0#1=3",
		"b":         "broadcast/0#1=3 b/0#0=4",
		"broadcast": "broadcast/0#0=2 broadcast/0#1=3",
	} {
		in := newInput(strings.NewReader(input), maxLine)
		first := openOn(t, in, Line, everyStream)
		first.held = first.all()
		first.close()
		o := openOn(t, in, Line, stream)
		o.c.MaxBatch = 1
		if got := show(o.all()); got != want {
			t.Errorf("%s: %s, want %s", stream, got, want)
		}
	}
}

// repeated is a line again and again.
type repeated struct {
	line string
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := copy(p, r.line[r.at:])
	r.at = (r.at + n) % len(r.line)
	return n, nil
}

func TestASourceRemembersLittleMoreThanTheEngineHolds(t *testing.T) {
	for name, c := range map[string]struct {
		line        string
		batch, most int // messages
	}{
		"short lines": {"x\n", 100, 600},
		"long lines":  {strings.Repeat("x", 100<<10) + "\n", 100, 200 + 12},
	} {
		t.Run(name, func(t *testing.T) {
			o := openOn(t, newInput(&repeated{line: c.line}, maxLine), Line, everyStream)
			o.c.MaxBatch = c.batch
			for range 200 {
				all, err := o.fetch()
				if err != nil {
					t.Fatal(err)
				}
				o.held = append(o.held, all...)
				o.held = o.held[max(0, len(o.held)-2*c.batch):]
				if len(o.sent) > c.most {
					t.Fatalf("%d lines are remembered", len(o.sent))
				}
			}
			if left := o.undelivered(); len(left) != len(o.held) || left[0].position() != o.held[0].Seq {
				t.Errorf("%d lines are left of %d", len(left), len(o.held))
			}
		})
	}
}

func TestAClosedSourceKeepsNothingAlive(t *testing.T) {
	o := openOn(t, newInput(strings.NewReader("1\n2\n3\n"), maxLine), Line, everyStream)
	o.held = o.next(3)
	o.close()
	if o.block != nil || o.sent != nil || o.before != nil {
		t.Error("it has lines")
	}
	if _, err := o.fetch(); !errors.Is(err, streamer.ErrClosed) {
		t.Errorf("Fetch: %v", err)
	}
}
