package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gostreamer/streamer"
)

func TestImplicitNumbersCountPerShard(t *testing.T) {
	got := show(readAll(t, "[a] 1\n[b] 2\n[a] 3\n[a|9|1] 4\nraw\n[broadcast] 5\nraw\n", Line, everyStream))
	if want := "a/0#0=1 b/0#0=2 a/0#1=3 a/1#9=4 broadcast/0#0=raw broadcast/0#1=5 broadcast/0#2=raw"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestTheHighestNumberHasNoneBehindIt(t *testing.T) {
	all := readAll(t, fmt.Sprintf("[a|%d] x\n[a] y\n[a|3] z\n[a] u\n", uint64(math.MaxUint64)), Line, "a")
	if got, want := show(all), fmt.Sprintf("a/0#%d=x a/0#%[1]d=y a/0#3=z a/0#4=u", uint64(math.MaxUint64)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestALineWithoutStreamReachesEveryConsumer(t *testing.T) {
	const input = "raw\n[2022-01-02T03:04:05] stamped\n[broadcast] explicit\n[a] a\n[b] b\n"
	for streams, want := range map[string]string{
		"a":         "broadcast/0#0=raw broadcast/0#1=stamped a/0#0=a",
		"c":         "broadcast/0#0=raw broadcast/0#1=stamped",
		"broadcast": "broadcast/0#0=raw broadcast/0#1=stamped broadcast/0#2=explicit",
		"*":         "broadcast/0#0=raw broadcast/0#1=stamped broadcast/0#2=explicit a/0#0=a b/0#0=b",
		"a,b":       "broadcast/0#0=raw broadcast/0#1=stamped a/0#0=a b/0#0=b",
		"a,*":       "broadcast/0#0=raw broadcast/0#1=stamped broadcast/0#2=explicit a/0#0=a b/0#0=b",
	} {
		if got := show(readAll(t, input, Line, strings.Split(streams, ",")...)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", streams, got, want)
		}
	}
}

func TestALineWithoutTimeHasTheTimeItWasRead(t *testing.T) {
	before := time.Now().Round(0)
	all := readAll(t, "raw\n[2022-01-02T03:04:05.000000006] x\n", Line, "a")
	if m := all[0]; m.Time.Before(before) || m.Time.After(time.Now()) || m.Time.Location() != time.UTC {
		t.Errorf("received at %v", m.Time)
	}
	if want := time.Date(2022, 1, 2, 3, 4, 5, 6, time.UTC); all[1].Time != want {
		t.Errorf("time is %v", all[1].Time)
	}
}

func TestAssignedGrowsWithTheShardsThatLinesName(t *testing.T) {
	shard := func(stream string, n streamer.ShardID) streamer.StreamShard {
		return streamer.StreamShard{Stream: stream, Shard: n}
	}
	r, w := io.Pipe()
	defer w.Close()
	o := openOn(t, newInput(r, maxLine), Line, "a", "b")
	want := []streamer.StreamShard{shard("a", 0), shard("b", 0)}
	for _, c := range []struct {
		line string
		more []streamer.StreamShard
	}{
		{"[a] x", nil},
		{"[c|0|1] not read\n[b] x", nil},
		{"[a|0|7] x", []streamer.StreamShard{shard("a", 7)}},
		{"raw", []streamer.StreamShard{shard(broadcast, 0)}},
	} {
		go fmt.Fprintln(w, c.line)
		o.next(1)
		if want = append(want, c.more...); !reflect.DeepEqual(o.assigned, want) {
			t.Errorf("after %q: assigned %v, want %v", c.line, o.assigned, want)
		}
	}
}

func TestEverySourceThatIsOpenSeesEveryLine(t *testing.T) {
	var input strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&input, "[a] %d\n", i)
	}
	in := newInput(iotest.HalfReader(strings.NewReader(input.String())), maxLine)
	var sources []*opened
	for range 4 {
		sources = append(sources, openOn(t, in, Line, "a"))
	}
	counts := make(chan string, len(sources))
	for _, o := range sources {
		go func() {
			all := o.all()
			for i := range all {
				if string(all[i].Value) != fmt.Sprint(i) || all[i].Seq != streamer.SeqUint(uint64(i)) {
					counts <- fmt.Sprintf("message %d is %s, seq %v", i, all[i].Value, all[i].Seq)
					return
				}
			}
			counts <- fmt.Sprint(len(all))
		}()
	}
	for range sources {
		if got := <-counts; got != "100000" {
			t.Error(got)
		}
	}
}

func TestALaterSourceBeginsWithWhatNobodyWasGiven(t *testing.T) {
	in := newInput(strings.NewReader("1\n2\n3\n4\n5\n"), maxLine)
	first := openOn(t, in, Line, "a")
	first.c.MaxBatch = 2
	first.next(2)
	second := openOn(t, in, Line, "a")
	if got := show(second.all()); got != "broadcast/0#2=3 broadcast/0#3=4 broadcast/0#4=5" {
		t.Errorf("second: %s", got)
	}
	if got := show(first.all()); got != "broadcast/0#2=3 broadcast/0#3=4 broadcast/0#4=5" {
		t.Errorf("first: %s", got)
	}
}

func TestWhatASourceWasNotGivenIsTheNextOnes(t *testing.T) {
	in := newInput(strings.NewReader("1\n2\n3\n4\n5\n"), maxLine)
	for i := range 5 {
		o := openOn(t, in, Line, everyStream)
		o.c.MaxBatch = 1
		if got, want := show(o.next(1)), fmt.Sprintf("broadcast/0#%d=%d", i, i+1); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		o.close()
	}
	if _, err := openOn(t, in, Line, everyStream).fetch(); err != io.EOF {
		t.Errorf("behind the last line: %v", err)
	}
}

func TestAnEndedFetchLosesNothing(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	o := openOn(t, newInput(r, maxLine), Line, everyStream)
	emit := func([]streamer.Message) { t.Error("a message") }
	for range 100 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		if err := o.Fetch(ctx, emit); err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		cancel()
	}
	go io.WriteString(w, "x\n")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := o.Fetch(ended, emit); err != context.Canceled {
		t.Fatal(err)
	}
	if got := show(o.next(1)); got != "broadcast/0#0=x" {
		t.Error(got)
	}
}

func TestEveryPendingLineArrivesBeforeTheEnd(t *testing.T) {
	for name, failure := range map[string]error{"end": io.EOF, "failure": errors.New("disk on fire")} {
		t.Run(name, func(t *testing.T) {
			in := newInput(io.MultiReader(strings.NewReader("1\n2\n"), iotest.ErrReader(failure)), maxLine)
			for range 2 {
				o := openOn(t, in, Line, everyStream)
				defer func() {
					for range 2 { // again and again
						if _, err := o.fetch(); !errors.Is(err, failure) {
							t.Error(err)
						}
					}
				}()
			}
			if got := show(in.sources[0].opened(t).next(2)); got != "broadcast/0#0=1 broadcast/0#1=2" {
				t.Error(got)
			}
			in.sources[1].opened(t).next(2)
		})
	}
}

func (s *source) opened(t testing.TB) *opened { return &opened{source: s, t: t} }

func TestTheLastLineNeedsNoNewline(t *testing.T) {
	for _, input := range []string{"1\n2", "1\n2\n"} {
		if got := show(readAll(t, input, Line, everyStream)); got != "broadcast/0#0=1 broadcast/0#1=2" {
			t.Errorf("%q: %s", input, got)
		}
	}
	if got := show(readAll(t, "\n\r\n", Line, everyStream)); got != "broadcast/0#0= broadcast/0#1=\r" {
		t.Errorf("empty lines: %q", got)
	}
	if all := readAll(t, "", Line, everyStream); len(all) != 0 {
		t.Errorf("no line at all: %s", show(all))
	}
}

// badReader breaks the rules of io.Reader.
type badReader int

func (n badReader) Read([]byte) (int, error) { return int(n), nil }

func TestAReaderThatBreaksTheRulesIsAnError(t *testing.T) {
	for _, n := range []int{-1, math.MaxInt, 0} {
		o := openOn(t, newInput(badReader(n), maxLine), Line, everyStream)
		if _, err := o.fetch(); err == nil || err == io.EOF || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Read that says %d: %v", n, err)
		}
	}
}

func TestSlabsAreBounded(t *testing.T) {
	o := openOn(t, newInput(strings.NewReader(strings.Repeat("x\n", 1000)), maxLine), Line, everyStream)
	for room, want := range map[int]int{1: 1, 7: 7, 10: 10, 11: 10, 0: 1, -5: 1} {
		o.c.MaxBatch = 10
		o.c.Room = func() int { return room }
		if all, err := o.fetch(); err != nil || len(all) != want {
			t.Errorf("room %d: %d messages, %v", room, len(all), err)
		}
	}
}

func TestAnInputHasOneFormat(t *testing.T) {
	in := newInput(strings.NewReader("x\n"), maxLine)
	openOn(t, in, Line, everyStream).close()
	if _, err := openSource(testContext(t), in, JSON, (&opened{}).config(everyStream)); !errors.Is(err, streamer.ErrInvalid) {
		t.Errorf("a second format: %v", err)
	}
	if got := show(openOn(t, in, Line, everyStream).all()); got != "broadcast/0#0=x" {
		t.Error(got)
	}
}
