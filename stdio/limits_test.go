package stdio

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestALineThatIsTooLongIsSkippedAndItsNeighboursArrive(t *testing.T) {
	const longest = 100
	long := strings.Repeat("x", longest)
	input := "[a] 1\n[a] " + long + "\n[a] 2\n" + long + "x\n" + long + "\n[b|5|6]" + strings.Repeat(long, 10000) + "\n[a] 3\n" + long + long
	o := openOn(t, newInput(strings.NewReader(input), longest), Line, "a")
	if got, want := show(o.all()), "a/0#0=1 a/0#2=2 broadcast/0#1="+long+" a/0#3=3"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	want := []string{"a/0#1: a line of 104 bytes", "broadcast/0#0: a line of 101 bytes", "broadcast/0#2: a line of 200 bytes"}
	if len(o.skipped) != len(want) {
		t.Fatalf("skipped %v", o.skipped)
	}
	for i, e := range o.skipped {
		got := fmt.Sprintf("%s/%d#%v: %v", e.Stream, e.Shard, e.Seq, e.Err)
		if !strings.HasPrefix(got, want[i]) || !errors.Is(e.Err, streamer.ErrTooLarge) {
			t.Errorf("got %s, want %s", got, want[i])
		}
	}
	o = openOn(t, newInput(strings.NewReader(input), longest), Line, "b")
	o.all()
	if e := o.skipped[len(o.skipped)-2]; e.Stream != "b" || e.Shard != 6 || e.Seq != streamer.SeqUint(5) {
		t.Errorf("of the long line of b, which is not kept, Skipped says %+v", e)
	}
}

// TestSplitting: lines arrive whole whatever the reads bring.
func TestSplitting(t *testing.T) {
	const longest = 3 * minRead
	random := rand.New(rand.NewPCG(1, 2))
	var input strings.Builder
	var want []int
	for range 2000 {
		n := random.IntN(100)
		if random.IntN(10) == 0 {
			n = random.IntN(2 * longest)
		}
		want = append(want, n)
		input.WriteString(strings.Repeat(string(rune('a'+n%26)), n) + "\n")
	}
	for _, most := range []int{1 << 20, minRead, 1000, 17} {
		s := splitter{max: longest}
		var blocks []*block
		for rest := input.String(); len(rest) > 0; {
			n := copy(s.room(), rest[:min(len(rest), 1+random.IntN(most))])
			rest = rest[n:]
			blocks = s.added(blocks, n, time.Time{})
			if cap(s.chunk) > longest+chunkSize {
				t.Fatalf("%d bytes for lines of at most %d", cap(s.chunk), longest)
			}
		}
		if blocks = s.rest(blocks, time.Time{}); len(blocks) > 1 && blocks[len(blocks)-1].data[len(blocks[len(blocks)-1].data)-1] != '\n' && blocks[len(blocks)-1].long == 0 {
			t.Fatal("a rest behind the last newline")
		}
		checkLengths(t, blocks, longest, want)
	}
}

func checkLengths(t *testing.T, blocks []*block, longest int, want []int) {
	t.Helper()
	d := decoder{max: longest}
	i := 0
	for _, b := range blocks {
		for _, e := range d.entries(nil, b) {
			n := len(e.value)
			if e.length > 0 {
				n = int(e.length)
			}
			if n != want[i] || (e.length > 0) != (n > longest) || strings.Trim(string(e.value), string(rune('a'+n%26))) != "" {
				t.Fatalf("line %d has %d bytes, want %d", i, n, want[i])
			}
			i++
		}
	}
	if i != len(want) {
		t.Fatalf("%d lines, want %d", i, len(want))
	}
}

// endless brings one line again and again, and counts the bytes.
type endless struct {
	line  string
	bytes atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for len(p)-n >= len(e.line) {
		n += copy(p[n:], e.line)
	}
	e.bytes.Add(int64(n))
	return n, nil
}

func TestTheSlowestSourceBoundsWhatIsReadAhead(t *testing.T) {
	from := &endless{line: "[a] some text\n"}
	in := newInput(from, maxLine)
	quick, slow := openOn(t, in, Line, "a"), openOn(t, in, Line, "a")
	stopped := make(chan int)
	go func() { // until nothing comes for the slow source's sake
		n := 0
		for {
			all, err := quick.fetch()
			if n += len(all); err != nil || n >= 1_000_000 {
				stopped <- n
				return
			}
		}
	}()
	waitFor(t, "the reading to stop", func() bool {
		before := from.bytes.Load()
		runtime.Gosched()
		in.mu.Lock()
		defer in.mu.Unlock()
		return before > 0 && !in.inRead && in.ahead() >= window && before == from.bytes.Load()
	})
	if n := from.bytes.Load(); n > window+2*chunkSize {
		t.Errorf("%d bytes were read for a source that takes none; the window is %d", n, window)
	}
	slow.close()
	if n := <-stopped; n < 1_000_000 {
		t.Errorf("%d messages after the slow source had closed", n)
	}
}

func TestAnEndlessLineTakesNoMemory(t *testing.T) {
	const longest = 1 << 18
	from := io.MultiReader(io.LimitReader(&endless{line: strings.Repeat("x", 64)}, 100*longest), strings.NewReader("\n[a] y\n"))
	in := newInput(from, longest)
	o := openOn(t, in, Line, "a")
	if got := show(o.all()); got != "a/0#0=y" || len(o.skipped) != 1 {
		t.Errorf("got %s, %v", got, o.skipped)
	}
	if in.last.end > longest {
		t.Errorf("%d bytes were kept", in.last.end)
	}
}

func TestASourceAllocatesNothingPerLine(t *testing.T) {
	const lines = 20_000
	for _, c := range benchHeads {
		data := string(benchInput(lines, c.head))
		n := testing.AllocsPerRun(3, func() { benchSource(t, strings.NewReader(data)) })
		if perLine := n / lines; perLine > 0.02 { // a chunk, a slab and a block for 128 KiB
			t.Errorf("%s: %v allocations per line", c.name, perLine)
		}
	}
}

// waitFor polls ok until it is true.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

func TestJSONAllocatesNothingPerLine(t *testing.T) {
	const lines = 20_000
	data := strings.Repeat(`{"stream":"a","shard":1,"seq":"7","time":"2022-01-02T03:04:05Z","key":"k","headers":[{"key":"h","value":"1"}],"value":"x\ny"}`+"\n", lines)
	n := testing.AllocsPerRun(3, func() {
		if all := readAll(t, data, JSON, "a"); len(all) != lines {
			t.Error(len(all))
		}
	})
	if perLine := n / lines; perLine > 0.1 { // besides the above, what keys, values and headers are decoded into
		t.Errorf("%v allocations per line", perLine)
	}
}

func TestFormattingAllocatesNothing(t *testing.T) {
	s := &sink{out: newOutput(io.Discard), format: Line}
	r := streamer.Record{Stream: "a", Value: []byte("one lamp")}
	n := testing.AllocsPerRun(1000, func() {
		if _, err := s.line(&r); err != nil {
			t.Error(err)
		}
		s.out.buf, s.out.lines = s.out.buf[:0], s.out.lines[:0]
	})
	if n > 0 {
		t.Errorf("%v allocations per record", n)
	}
}
