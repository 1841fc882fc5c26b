package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gostreamer/streamer"
)

func readLines(r io.Reader, max int) (texts []string, failed []int, err error) {
	in := newLineReader(r, max)
	for {
		l, err := in.next()
		if err != nil {
			return texts, failed, err
		}
		if l.err != nil {
			failed = append(failed, l.number)
			continue
		}
		texts = append(texts, string(l.text))
	}
}

func TestEveryLineIsAMessage(t *testing.T) {
	long := strings.Repeat("x", 300<<10)
	for in, want := range map[string][]string{
		"":                      nil,
		"a":                     {"a"},
		"a\n":                   {"a"},
		"a\nb":                  {"a", "b"},
		"\n\na\n\n":             {"", "", "a", ""},
		"a\r\n":                 {"a\r"},
		"\xff\x00\n":            {"\xff\x00"},
		long + "\n" + "b\n":     {long, "b"},
		long + "\n" + long:      {long, long},
		strings.Repeat("\n", 3): {"", "", ""},
	} {
		got, failed, err := readLines(strings.NewReader(in), 1<<20)
		if strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) || failed != nil || err != io.EOF {
			t.Errorf("%.20q: %d lines, %v failed, %v; want %d lines", in, len(got), failed, err, len(want))
		}
	}
}

func TestALineBeyondMaxLineFailsByItself(t *testing.T) {
	in := "1234\n12345\n" + strings.Repeat("x", 200<<10) + "\n1\n" + "12345"
	got, failed, err := readLines(strings.NewReader(in), 4)
	if strings.Join(got, "|") != "1234|1" || len(failed) != 3 || failed[0] != 2 || failed[1] != 3 || failed[2] != 5 || err != io.EOF {
		t.Errorf("got %q, failed %v, %v", got, failed, err)
	}
	l, _ := newLineReader(strings.NewReader("12345\n"), 4).next()
	if !errors.Is(l.err, streamer.ErrTooLarge) {
		t.Errorf("%v is not ErrTooLarge", l.err)
	}
}

func TestReadErrorComesAfterTheLinesBeforeIt(t *testing.T) {
	broken := errors.New("broken")
	in := newLineReader(io.MultiReader(strings.NewReader("a\nb\n"), iotest.ErrReader(broken)), 10)
	done := make(chan struct{})
	defer close(done)
	lines, failed := in.batches(done)
	n := 0
	for batch := range lines {
		n += len(batch)
	}
	if n != 2 || *failed != broken {
		t.Errorf("%d lines, %v", n, *failed)
	}
}

func FuzzLineReader(f *testing.F) {
	f.Add([]byte("a\n\nbb\nccc"), 2)
	f.Add([]byte("\n"), 1)
	f.Fuzz(func(t *testing.T, in []byte, max int) {
		max = min(1+(max&0xffff), 1<<16)
		got, failed, err := readLines(iotest.OneByteReader(bytes.NewReader(in)), max)
		if err != io.EOF {
			t.Fatal(err)
		}
		want := strings.Split(string(in), "\n")
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		if len(got)+len(failed) != len(want) {
			t.Fatalf("%d lines and %d failed of %d", len(got), len(failed), len(want))
		}
		for _, w := range want {
			if len(w) > max {
				continue
			}
			if len(got) == 0 || got[0] != w {
				t.Fatalf("%q is missing", w)
			}
			got = got[1:]
		}
	})
}
