package redis

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// taken is what a reply that comes piece by piece takes in.
func taken(from io.Reader) (*reply, error) {
	r := newReply(0)
	return r, r.readFrom(from)
}

func TestAReplyEndsWithItsLastByte(t *testing.T) {
	long := strings.Repeat("0123456789", 2000)
	for _, text := range []string{
		"+OK\r\n", ":17\r\n", "-ERR no\r\n", "$-1\r\n", "*-1\r\n", "_\r\n", "*0\r\n", "$0\r\n\r\n", "#t\r\n", ",1.5\r\n", "(123456789012345678901234567890\r\n",
		resp(list{}), resp(list{"a", list{nil, "", list{"b"}}, long}), resp(list{list{"s", list{list{"1-0", list{"msg", long}}}}}),
		"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n$1\r\nc\r\n", "~1\r\n:1\r\n", "!5\r\nERR a\r\n", "=5\r\ntxt:a\r\n",
	} {
		for _, from := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.HalfReader(strings.NewReader(text)),
			iotest.DataErrReader(strings.NewReader(text))} {
			if r, err := taken(from); err != nil || string(r.b) != text {
				t.Errorf("%.40q: %.40q, %v", text, r.b, err)
			}
		}
		if _, err := taken(strings.NewReader(text[:len(text)-1])); !errors.Is(err, io.EOF) {
			t.Errorf("%.40q without its last byte: %v", text, err)
		}
		if _, err := taken(strings.NewReader(text + "+")); !errors.Is(err, errMalformed) {
			t.Errorf("%.40q and more: %v", text, err)
		}
	}
}

func TestAReplyThatIsNoneIsRefused(t *testing.T) {
	for _, text := range []string{"\r\n", "?1\r\n", "*\r\n", "*a\r\n", "$1x\r\n", "$-2\r\n", "*1\n", "$99999999999999999999\r\n", "*9999999999999\r\n", "+" + strings.Repeat("a", longestLine)} {
		if r, err := taken(strings.NewReader(text)); !errors.Is(err, errMalformed) {
			t.Errorf("%.40q: %.40q, %v", text, r.b, err)
		}
	}
}

// TestWhatIsAnnouncedGetsNoRoomBeforeItComes.
func TestWhatIsAnnouncedGetsNoRoomBeforeItComes(t *testing.T) {
	r, err := taken(io.MultiReader(strings.NewReader("$1000000000\r\n"), bytes.NewReader(make([]byte, 10_000))))
	if !errors.Is(err, io.EOF) || cap(r.b) > 2*largestGrowth {
		t.Errorf("%v with room for %d bytes", err, cap(r.b))
	}
}

func TestAPageTellsItsEnd(t *testing.T) {
	for _, x := range []struct {
		text    string
		entries int
		last    id
	}{
		{resp(list{list{"s", list{list{"1-0", list{"msg", "a"}}, list{"2-7", list{"msg", "a", "k", "b"}}}}}), 2, id{2, 7}},
		{resp(list{list{"s", list{list{"3-0", list{}}}}}), 1, id{3, 0}},
		{resp(list{list{"s", list{}}}), 0, id{}},
		{resp(list{list{"s", list{list{"1-0", list{"msg", "a"}}}}, list{"t", list{list{"2-0", list{"msg", "a"}}}}}), 0, id{}},
		{"*-1\r\n", 0, id{}},
		{"-ERR no\r\n", 0, id{}},
	} {
		r, err := taken(strings.NewReader(x.text))
		n, last, ok := r.ending()
		if err != nil || n != x.entries || last != x.last || ok != (x.entries > 0) {
			t.Errorf("%q: %d, %v, %v, %v", x.text, n, last, ok, err)
		}
	}
}

// FuzzReply takes bytes in at once and in pieces, with the same result, which
// the scanner agrees with.
func FuzzReply(f *testing.F) {
	f.Add([]byte(resp(list{list{"s", list{list{"1-0", list{"msg", "a"}}, list{"1-1", nil}}}})))
	f.Add([]byte("%1\r\n$1\r\ns\r\n*1\r\n*4\r\n$3\r\n1-0\r\n*2\r\n$3\r\nmsg\r\n$1\r\na\r\n:5\r\n:1\r\n"))
	f.Add([]byte("-ERR no\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := taken(bytes.NewReader(b))
		one, errOne := taken(iotest.OneByteReader(bytes.NewReader(b)))
		more := err != nil && errOne == nil && len(one.b) < len(b) // byte by byte, nothing behind the reply is read
		if (err == nil) != (errOne == nil) && !more || err == nil && !bytes.Equal(r.b, one.b) {
			t.Fatalf("%q, %v at once; %q, %v byte by byte", r.b, err, one.b, errOne)
		}
		if err != nil {
			return
		}
		s := scanner{b: r.b}
		if err := s.skip(1); err == nil && s.end() != nil {
			t.Errorf("the scanner ends at %d of %q", s.pos, r.b)
		}
		if n, _, ok := r.ending(); ok && n > len(b) {
			t.Errorf("%d entries in %q", n, r.b)
		}
	})
}
