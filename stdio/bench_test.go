package stdio

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gostreamer/streamer"
)

// benchInput is n lines with values of 256 B.
func benchInput(n int, head string) []byte {
	value := bytes.Repeat([]byte("x"), 256)
	var b bytes.Buffer
	for i := range n {
		if head != "" {
			fmt.Fprintf(&b, head, i)
		}
		b.Write(value)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

var benchHeads = []struct{ name, head string }{
	{"raw", ""},
	{"stream", "[orders | %d] "},
	{"full", "[2024-05-06T07:08:09.123456789 | orders | %d | 0] "},
}

func BenchmarkParse(b *testing.B) {
	for _, c := range benchHeads {
		b.Run(c.name, func(b *testing.B) {
			line := bytes.TrimSuffix(benchInput(1, c.head), newline)
			b.SetBytes(int64(len(line) + 1))
			b.ReportAllocs()
			var h head
			for b.Loop() {
				if payload, _ := h.parse(line); len(payload) != 256 {
					b.Fatal(len(payload))
				}
			}
		})
	}
}

const benchLines = 100_000

// BenchmarkSource reads a file, as standard input is one: beside it
// bufio.Scanner over the same bytes, which keeps no line, and one that copies
// each as a message that outlives the next needs it.
func BenchmarkSource(b *testing.B) {
	readers := []struct {
		name string
		read func(testing.TB, io.Reader) int
	}{{"stdio", benchSource}, {"bufio.Scanner", benchScanner}, {"bufio.Scanner and copy", benchCopies}}
	for _, c := range benchHeads {
		for _, r := range readers {
			b.Run(c.name+"/"+r.name, func(b *testing.B) {
				name := filepath.Join(b.TempDir(), "lines")
				if err := os.WriteFile(name, benchInput(benchLines, c.head), 0o600); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if n := benchFile(b, name, r.read); n != benchLines {
						b.Fatal(n)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchLines, "ns/line")
			})
		}
	}
}

func benchFile(b testing.TB, name string, read func(testing.TB, io.Reader) int) int {
	f, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	return read(b, f)
}

func benchSource(b testing.TB, r io.Reader) (n int) {
	s, err := openSource(context.Background(), newInput(r, maxLine), Line, (&opened{}).config(everyStream))
	if err != nil {
		b.Fatal(err)
	}
	for {
		err := s.Fetch(context.Background(), func(slab []streamer.Message) { n += len(slab) })
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func benchScanner(_ testing.TB, r io.Reader) (n int) {
	s := bufio.NewScanner(r)
	for s.Scan() {
		n++
	}
	return n
}

func benchCopies(_ testing.TB, r io.Reader) (n int) {
	var kept []byte
	s := bufio.NewScanner(r)
	for s.Scan() {
		kept = bytes.Clone(s.Bytes())
		n++
	}
	runtime.KeepAlive(kept)
	return n
}
