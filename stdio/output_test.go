package stdio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// connected opens a Streamer that the test's end closes.
func connected(t testing.TB, c Config, o streamer.StreamerOptions) streamer.Streamer {
	t.Helper()
	s, err := Connect(testContext(t), c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func producer(t testing.TB, s streamer.Streamer, stream string) streamer.Producer {
	t.Helper()
	p, err := s.Producer(testContext(t), streamer.ProducerOptions{Stream: stream})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func send(t testing.TB, p streamer.Producer, r streamer.Record) (streamer.Meta, error) {
	t.Helper()
	return p.Send(testContext(t), r).Wait(testContext(t))
}

func value(s string) streamer.Record { return streamer.Record{Value: []byte(s)} }

func TestReceiptsSayWhatTheLineSays(t *testing.T) {
	for _, f := range []Format{Line, JSON} {
		var out bytes.Buffer
		p := producer(t, connected(t, Config{Out: &out, Format: f}, streamer.StreamerOptions{}), "a")
		shard := streamer.ShardID(3)
		var metas []streamer.Meta
		for _, r := range []streamer.Record{
			value("x"), value("y"), {Stream: "b", Value: []byte("z")}, {Shard: &shard, Value: []byte("u"), Time: time.Date(2022, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))},
		} {
			m, err := send(t, p, r)
			if err != nil {
				t.Fatal(err)
			}
			metas = append(metas, m)
		}
		all := readAll(t, out.String(), f, everyStream)
		if got, want := show(all), "a/0#0=x a/0#1=y b/0#0=z a/3#0=u"; got != want {
			t.Errorf("%v:\n got %s\nwant %s", f, got, want)
		}
		for i := range all {
			if all[i].Meta != metas[i] {
				t.Errorf("%v: the receipt says %+v, the line %+v", f, metas[i], all[i].Meta)
			}
		}
	}
}

func TestARefusedRecordIsReportedAloneAndTakesNoNumber(t *testing.T) {
	var out bytes.Buffer
	p := producer(t, connected(t, Config{Out: &out}, streamer.StreamerOptions{}), "a")
	for _, c := range []struct {
		r    streamer.Record
		want error
	}{
		{value("1"), nil},
		{streamer.Record{Key: []byte("k"), Value: []byte("x")}, streamer.ErrUnsupported},
		{value("2"), nil},
		{streamer.Record{Stream: "no name", Value: []byte("x")}, streamer.ErrInvalid},
		{value(" x"), streamer.ErrUnsupported},
		{streamer.Record{Value: []byte("x"), Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, streamer.ErrUnsupported},
		{streamer.Record{Value: bytes.Repeat([]byte("x"), maxLine)}, streamer.ErrTooLarge},
		{value("3"), nil},
	} {
		if _, err := send(t, p, c.r); !errors.Is(err, c.want) {
			t.Errorf("%.20q: %v, want %v", c.r.Value, err, c.want)
		}
	}
	if err := p.Flush(testContext(t)); !errors.Is(err, streamer.ErrUnsupported) {
		t.Errorf("Flush: %v", err)
	}
	if got, want := show(readAll(t, out.String(), Line, "a")), "a/0#0=1 a/0#1=2 a/0#2=3"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestJSONHasNoNameForEveryStream(t *testing.T) {
	var out bytes.Buffer
	p := producer(t, connected(t, Config{Out: &out, Format: JSON}, streamer.StreamerOptions{}), "any name: even\n\xff")
	if _, err := send(t, p, streamer.Record{Value: nil}); err != nil {
		t.Error(err)
	}
	if _, err := send(t, p, streamer.Record{Stream: everyStream}); !errors.Is(err, streamer.ErrInvalid) {
		t.Error(err)
	}
	if got := show(readAll(t, out.String(), JSON, everyStream)); got != "any name: even\n\xff/0#0=" {
		t.Errorf("%q", got)
	}
}

// TestLinesOfManyProducersNeverMix: nor do the numbers repeat.
func TestLinesOfManyProducersNeverMix(t *testing.T) {
	const producers, records = 8, 2000
	r, w := osPipe(t)
	stdout := os.Stdout
	os.Stdout = w
	defer func() { os.Stdout = stdout }()
	read := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(r)
		read <- all
	}()
	var done sync.WaitGroup
	for i := range producers {
		p := producer(t, connected(t, Config{Format: Line}, streamer.StreamerOptions{}), "a")
		done.Go(func() {
			for n := range records {
				p.Send(context.Background(), value(fmt.Sprintf("%d-%d-%s", i, n, strings.Repeat("x", n%300))))
			}
			if err := p.Flush(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	os.Stdout = stdout
	w.Close()
	all := readAll(t, string(<-read), Line, "a")
	if len(all) != producers*records {
		t.Fatalf("%d lines, want %d", len(all), producers*records)
	}
	next := make([]int, producers)
	for i := range all {
		var from, n int
		fmt.Sscanf(string(all[i].Value), "%d-%d-", &from, &n)
		if all[i].Seq != streamer.SeqUint(uint64(i)) || n != next[from] || len(all[i].Value) != len(fmt.Sprintf("%d-%d-", from, n))+n%300 {
			t.Fatalf("line %d: %s, seq %v", i, all[i].Value, all[i].Seq)
		}
		next[from]++
	}
}

// faulty writes what each step says and fails; then it writes everything.
type faulty struct {
	bytes.Buffer
	steps []int
}

var errFaulty = errors.New("no room")

func (f *faulty) Write(p []byte) (int, error) {
	if len(f.steps) == 0 {
		return f.Buffer.Write(p)
	}
	n := f.steps[0]
	f.steps = f.steps[1:]
	if n > 0 {
		n = min(n, len(p))
		f.Buffer.Write(p[:n])
	}
	return n, errFaulty
}

func TestALineThatIsWrittenInPartIsFinishedFirst(t *testing.T) {
	line := len("[2022-01-02T03:04:05 | a | 0 | 0] 0\n")
	for name, c := range map[string]struct {
		steps []int
		want  string // of each receipt: ok, no, unknown
		read  string
	}{
		"nothing":           {[]int{0}, "no ok ok", "a/0#0=1 a/0#1=2"},
		"all but newline":   {[]int{line - 1}, "unknown ok ok", "a/0#0=0 a/0#1=1 a/0#2=2"},
		"one byte":          {[]int{1}, "unknown ok ok", "a/0#0=0 a/0#1=1 a/0#2=2"},
		"everything":        {[]int{line}, "ok ok ok", "a/0#0=0 a/0#1=1 a/0#2=2"},
		"rest in two parts": {[]int{5, 5, 5}, "unknown no no", "a/0#0=0 a/0#1=3"},
		"then in the next":  {[]int{5, line}, "unknown unknown ok", "a/0#0=0 a/0#1=1 a/0#2=2"},
		"impossible counts": {[]int{-1, 0}, "no no ok", "a/0#0=2"},
	} {
		t.Run(name, func(t *testing.T) {
			out := &faulty{steps: c.steps}
			p := producer(t, connected(t, Config{Out: out}, streamer.StreamerOptions{}), "a")
			r := streamer.Record{Time: stamp}
			var got []string
			for i := range 3 {
				r.Value = fmt.Append(nil, i)
				_, err := send(t, p, r)
				got = append(got, outcome(err))
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("receipts: %s, want %s", got, c.want)
			}
			if name == "rest in two parts" {
				r.Value = []byte("3")
				if _, err := send(t, p, r); err != nil {
					t.Error(err)
				}
			}
			if got := show(readAll(t, out.String(), Line, "a")); got != c.read {
				t.Errorf("lines: %s, want %s", got, c.read)
			}
		})
	}
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, streamer.ErrUnknown):
		return "unknown"
	}
	return "no"
}

func TestAClosedPipeIsATypedError(t *testing.T) {
	r, w := osPipe(t)
	r.Close()
	inR, inW := io.Pipe()
	inR.Close()
	for name, out := range map[string]io.Writer{"os.Pipe": w, "io.Pipe": inW} {
		t.Run(name, func(t *testing.T) {
			p := producer(t, connected(t, Config{Out: out}, streamer.StreamerOptions{}), "a")
			for range 3 {
				if _, err := send(t, p, value("x")); !errors.Is(err, streamer.ErrClosed) {
					t.Errorf("receipt: %v", err)
				} else if out == w && !errors.Is(err, syscall.EPIPE) {
					t.Errorf("the cause is lost: %v", err)
				}
			}
			if err := p.Flush(testContext(t)); !errors.Is(err, streamer.ErrClosed) {
				t.Errorf("Flush: %v", err)
			}
			if err := p.Close(); err != nil {
				t.Errorf("Close reports what the receipts said: %v", err)
			}
		})
	}
}

// TestAStalledReaderDoesNotHoldUpClose: the pipe is full and stays so. Close
// returns, the line that was cut is finished later.
func TestAStalledReaderDoesNotHoldUpClose(t *testing.T) {
	r, w := osPipe(t)
	s := connected(t, Config{Out: w}, streamer.StreamerOptions{CloseTimeout: 100 * time.Millisecond})
	p := producer(t, s, "a")
	big := value(strings.Repeat("x", 10<<20))
	receipt := p.Send(testContext(t), big)
	if err := p.Close(); !errors.Is(err, streamer.ErrUnknown) {
		t.Errorf("Close: %v", err)
	}
	if _, err := receipt.Wait(testContext(t)); !errors.Is(err, streamer.ErrUnknown) {
		t.Errorf("receipt: %v", err)
	}
	read := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(r)
		read <- all
	}()
	if _, err := send(t, producer(t, s, "a"), value("y")); err != nil {
		t.Error(err)
	}
	w.Close()
	all := readAll(t, string(<-read), Line, "a")
	if len(all) != 2 || !bytes.Equal(all[0].Value, big.Value) || string(all[1].Value) != "y" || all[1].Seq != streamer.SeqUint(1) {
		t.Errorf("%d lines, of %d bytes first", len(all), len(all[0].Value))
	}
}

// TestAStalledWriterThatCannotBeInterruptedDoesNotHoldUpClose, but the order of
// what is written.
func TestAStalledWriterThatCannotBeInterruptedDoesNotHoldUpClose(t *testing.T) {
	r, w := io.Pipe()
	s := connected(t, Config{Out: w}, streamer.StreamerOptions{CloseTimeout: 100 * time.Millisecond})
	p := producer(t, s, "a")
	first := p.Send(testContext(t), value("first"))
	if err := p.Close(); !errors.Is(err, streamer.ErrUnknown) {
		t.Errorf("Close: %v", err)
	}
	if _, err := first.Wait(testContext(t)); !errors.Is(err, streamer.ErrUnknown) {
		t.Errorf("receipt: %v", err)
	}
	second := producer(t, s, "a").Send(testContext(t), value("second"))
	buf := make([]byte, 1000)
	var lines string
	for range 2 {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		lines += string(buf[:n])
	}
	if m, err := second.Wait(testContext(t)); err != nil || m.Seq != streamer.SeqUint(1) {
		t.Errorf("%v, %v", m, err)
	}
	if !regexp.MustCompile(`^\[\S+ \| a \| 0 \| 0\] first\n\[\S+ \| a \| 1 \| 0\] second\n$`).MatchString(lines) {
		t.Errorf("%q", lines)
	}
}

func osPipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}
