package stdio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// What SeaStreamer's stdio gets wrong, one test each.

func consumer(t testing.TB, s streamer.Streamer, o streamer.ConsumerOptions) streamer.Consumer {
	t.Helper()
	c, err := s.Consumer(testContext(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// drain reads c to the end of its input.
func drain(t testing.TB, c streamer.Consumer) []streamer.Message {
	t.Helper()
	var all []streamer.Message
	for m, err := range c.Messages(testContext(t)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *m)
	}
	if c.Err() != io.EOF {
		t.Fatalf("the end is %v", c.Err())
	}
	return all
}

// Lines that were there before the consumer were lost in 9 of 40 runs.
func TestDefectLinesBeforeTheConsumerAreLost(t *testing.T) {
	for range 40 {
		s := connected(t, Config{In: strings.NewReader("only\n")}, streamer.StreamerOptions{})
		if all := drain(t, consumer(t, s, streamer.ConsumerOptions{})); show(all) != "broadcast/0#0=only" {
			t.Fatal(show(all))
		}
	}
}

// A value with a newline became two messages.
func TestDefectANewlineSplitsTheMessage(t *testing.T) {
	for f, want := range map[Format]error{Line: streamer.ErrUnsupported, JSON: nil} {
		var out bytes.Buffer
		p := producer(t, connected(t, Config{Out: &out, Format: f}, streamer.StreamerOptions{}), "a")
		if _, err := send(t, p, value("two\nlines")); !errors.Is(err, want) {
			t.Errorf("%v: %v", f, err)
		}
		if n := strings.Count(out.String(), "\n"); n > 1 {
			t.Errorf("%v: %d lines", f, n)
		}
	}
}

// A malformed head, a JSON array or invalid UTF-8 aborted the process.
func TestDefectAMalformedLineAbortsTheProcess(t *testing.T) {
	lines := append([]string{"\xff\xfe", "[\xff]", "[a] \xff"}, oddLines...)
	o := openOn(t, newInput(strings.NewReader(strings.Join(lines, "\n")), maxLine), Line, "a")
	all := o.all()
	if len(all) != len(lines) {
		t.Fatalf("%d messages of %d lines", len(all), len(lines))
	}
	for i, m := range all {
		if want := strings.TrimPrefix(lines[i], "[a] "); i < 3 && string(m.Value) != want || i >= 3 && (string(m.Value) != lines[i] || m.Stream != broadcast) {
			t.Errorf("%q became %+v", lines[i], m)
		}
	}
	if n := strings.Count(o.log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings: %s", n, o.log.String())
	}
}

// The end of standard input was never reported: consumers waited for ever.
func TestDefectTheEndOfTheInputIsNeverReported(t *testing.T) {
	s := connected(t, Config{In: strings.NewReader("[a] 1\n")}, streamer.StreamerOptions{})
	var consumers []streamer.Consumer
	for range 3 {
		consumers = append(consumers, consumer(t, s, streamer.ConsumerOptions{}))
	}
	for _, c := range consumers {
		drain(t, c)
	}
}

// Receipts said sequence number 0 whatever was printed.
func TestDefectReceiptsSayZero(t *testing.T) {
	var out bytes.Buffer
	p := producer(t, connected(t, Config{Out: &out}, streamer.StreamerOptions{}), "a")
	for i := range uint64(3) {
		if m, err := send(t, p, value("x")); err != nil || m.Seq != streamer.SeqUint(i) || m.Stream != "a" || m.Time.IsZero() {
			t.Errorf("receipt %d: %+v, %v", i, m, err)
		}
	}
}

// A number that a line said was given to the next line once more.
func TestDefectAnExplicitNumberIsUsedTwice(t *testing.T) {
	if got := show(readAll(t, "[a | 5] x\n[a] y\n[a] z\n", Line, "a")); got != "a/0#5=x a/0#6=y a/0#7=z" {
		t.Error(got)
	}
}

// The output had no shard and no fraction of a second, and the time was that of
// printing.
func TestDefectTheOutputDropsShardAndTime(t *testing.T) {
	const line = "[2022-01-02T03:04:05.000000678 | a | 0 | 9] x\n"
	var out bytes.Buffer
	shard := streamer.ShardID(9)
	p := producer(t, connected(t, Config{Out: &out}, streamer.StreamerOptions{}), "a")
	if _, err := send(t, p, streamer.Record{Value: []byte("x"), Shard: &shard, Time: stamp.Add(678)}); err != nil || out.String() != line {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// An empty value was swallowed.
func TestDefectAnEmptyValueIsSwallowed(t *testing.T) {
	var out bytes.Buffer
	p := producer(t, connected(t, Config{Out: &out}, streamer.StreamerOptions{}), "a")
	if _, err := send(t, p, value("")); err != nil {
		t.Fatal(err)
	}
	if all := readAll(t, out.String(), Line, "a"); len(all) != 1 || all[0].Value == nil || len(all[0].Value) != 0 {
		t.Errorf("%q", out.String())
	}
}

// An empty name was a stream.
func TestDefectAnEmptyNameIsAStream(t *testing.T) {
	s := connected(t, Config{Out: io.Discard}, streamer.StreamerOptions{})
	if _, err := send(t, producer(t, s, ""), value("x")); !errors.Is(err, streamer.ErrInvalid) {
		t.Errorf("receipt: %v", err)
	}
	for _, name := range []string{"", "a b", "a|b", strings.Repeat("k", 250)} {
		if _, err := s.Consumer(testContext(t), streamer.ConsumerOptions{Streams: []string{name}}); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("a consumer of %q: %v", name, err)
		}
	}
}

// To disconnect one streamer stopped every consumer and producer of the
// process.
func TestDefectDisconnectIsGlobal(t *testing.T) {
	r, w := osPipe(t)
	one := connected(t, Config{In: strings.NewReader("x\n"), Out: io.Discard}, streamer.StreamerOptions{})
	two := connected(t, Config{In: r, Out: io.Discard}, streamer.StreamerOptions{})
	gone, stays := consumer(t, one, streamer.ConsumerOptions{}), consumer(t, two, streamer.ConsumerOptions{})
	silent, speaks := producer(t, one, "a"), producer(t, two, "a")
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Next(testContext(t)); !errors.Is(err, streamer.ErrClosed) {
		t.Errorf("Next of a closed streamer: %v", err)
	}
	if _, err := send(t, silent, value("x")); !errors.Is(err, streamer.ErrClosed) {
		t.Errorf("Send on a closed streamer: %v", err)
	}
	io.WriteString(w, "y\n")
	if m, err := stays.Next(testContext(t)); err != nil || string(m.Value) != "y" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := send(t, speaks, value("y")); err != nil {
		t.Error(err)
	}
}

// The documentation called this line invalid; it is not.
func TestDefectTheDocumentedInvalidLineIsValid(t *testing.T) {
	all := readAll(t, "[2022-01-01T00:00:00] 12345\n", Line, "a")
	if show(all) != "broadcast/0#0=12345" || all[0].Time != time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC) {
		t.Errorf("%+v", all)
	}
}

// A pipeline of three processes hung once in three runs; what was queued had no
// bound. See also TestAChainOfProcessesPassesEveryLineOn,
// TestTheSlowestSourceBoundsWhatIsReadAhead and
// TestAStandardOutputThatNobodyReadsEndsNoProcess.
func TestDefectAPipelineHangs(t *testing.T) {
	const lines = 10_000
	r1, w1 := osPipe(t)
	r2, w2 := osPipe(t)
	from := producer(t, connected(t, Config{Out: w1}, streamer.StreamerOptions{}), "a")
	relay := connected(t, Config{In: r1, Out: w2}, streamer.StreamerOptions{})
	to := consumer(t, connected(t, Config{In: r2}, streamer.StreamerOptions{}), streamer.ConsumerOptions{})
	go func() {
		for i := range lines {
			from.Send(testContext(t), value(fmt.Sprint(i)))
		}
		from.Close()
		w1.Close()
	}()
	middle, out := consumer(t, relay, streamer.ConsumerOptions{}), producer(t, relay, "a")
	go func() {
		for m := range middle.Messages(testContext(t)) {
			out.Send(testContext(t), streamer.Record{Value: m.Value})
		}
		out.Close()
		w2.Close()
	}()
	for i, m := range drain(t, to) {
		if string(m.Value) != fmt.Sprint(i) || m.Seq != streamer.SeqUint(uint64(i)) {
			t.Fatalf("message %d: %s, %v", i, m.Value, m.Seq)
		}
	}
}
