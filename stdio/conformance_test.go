package stdio_test

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
	"github.com/gostreamer/streamer/stdio"
)

func TestConformance(t *testing.T) {
	for _, h := range []conformance.Harness{lineHarness(), jsonHarness()} {
		t.Run(h.Name, func(t *testing.T) { conformance.Run(t, h) })
	}
}

// everywhere is what no pipe has, in whichever format.
var everywhere = []conformance.Part{
	conformance.Resuming, conformance.Moving, conformance.Choosing, conformance.Resetting, conformance.ReadingBack, conformance.Lagging,
	conformance.Managing, conformance.Connection, conformance.Restart, conformance.Trimming, conformance.Deletion, conformance.GroupLoss,
	conformance.Fencing, conformance.Denial, conformance.WrongType, conformance.Absence, conformance.Killing,
}

func lineHarness() conformance.Harness {
	h := harness("stdio format=line", stdio.Line)
	h.Without = append(h.Without, conformance.Keys, conformance.Headers, conformance.NilValues, conformance.AnyBytes)
	return h
}

func jsonHarness() conformance.Harness { return harness("stdio format=json", stdio.JSON) }

func harness(name string, f stdio.Format) conformance.Harness {
	return conformance.Harness{
		Name:      name,
		Backend:   "stdio",
		Open:      func(t testing.TB, p conformance.Plan) *conformance.Place { return open(t, p, f) },
		Without:   everywhere[:len(everywhere):len(everywhere)],
		Largest:   longest,
		Bad:       func(r streamer.Record) streamer.Record { r.Stream = "*"; return r },
		SecretURI: func(secret string) string { return "stdio://user:" + url.QueryEscape(secret) + "@/orders?format=line" },
		Parallel:  1, // a process has one standard input
	}
}

// open puts a pipe in place of the process's standard output and one in place
// of its standard input. Whatever is written to one can be read from the other,
// so that programs see their own lines and one another's; nothing waits for
// room.
func open(t testing.TB, p conformance.Plan, f stdio.Format) *conformance.Place {
	inRead, inWrite := pipe(t)
	outRead, outWrite := pipe(t)
	stdin, stdout := os.Stdin, os.Stdout
	os.Stdin, os.Stdout = inRead, outWrite
	l := &loop{changed: sync.NewCond(new(sync.Mutex))}
	var copying sync.WaitGroup
	copying.Go(func() { l.fill(outRead) })
	copying.Go(func() { l.drain(inWrite) })
	t.Cleanup(func() {
		os.Stdin, os.Stdout = stdin, stdout
		outWrite.Close() // fill sees the end, then drain does
		inRead.Close()
		copying.Wait()
		inWrite.Close()
		outRead.Close()
	})
	connect := func(ctx context.Context, o streamer.StreamerOptions) (streamer.Streamer, error) {
		return stdio.Connect(ctx, stdio.Config{Format: f}, o)
	}
	return &conformance.Place{Streams: names(p.Streams), Connect: connect, Faults: conformance.Faults{
		AddShard: func(string) streamer.ShardID { return streamer.ShardID(p.Shards) }, // it is there when a line names it
		Poison: func(streamer.StreamShard) streamer.StreamShard {
			outWrite.WriteString(strings.Repeat("too long ", longest/len("too long ")+1) + "\n")
			return streamer.StreamShard{Stream: "broadcast"} // what is too long is not looked into
		},
	}}
}

// longest is the most bytes that a line may have.
const longest = 64 << 20

func names(n int) []string {
	streams := make([]string, n)
	for i := range streams {
		streams[i] = fmt.Sprintf("stream-%d", i)
	}
	return streams
}

func pipe(t testing.TB) (r, w *os.File) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// loop is a pipe's buffer without a bound.
type loop struct {
	changed *sync.Cond
	held    []byte
	ended   bool
}

func (l *loop) fill(from io.Reader) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		l.changed.L.Lock()
		l.held = append(l.held, buf[:n]...)
		l.ended = err != nil
		l.changed.L.Unlock()
		l.changed.Signal()
		if err != nil {
			return
		}
	}
}

func (l *loop) drain(to io.Writer) {
	for {
		l.changed.L.Lock()
		for len(l.held) == 0 && !l.ended {
			l.changed.Wait()
		}
		some := l.held
		l.held = nil
		l.changed.L.Unlock()
		if len(some) == 0 {
			return
		}
		if _, err := to.Write(some); err != nil {
			return
		}
	}
}
