package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// resp writes a reply in RESP2: a list, a text, or nil.
func resp(v any) string {
	switch v := v.(type) {
	case nil:
		return "*-1\r\n"
	case string:
		return fmt.Sprintf("$%d\r\n%s\r\n", len(v), v)
	case []any:
		var b strings.Builder
		fmt.Fprintf(&b, "*%d\r\n", len(v))
		for _, e := range v {
			b.WriteString(resp(e))
		}
		return b.String()
	}
	return fmt.Sprintf("?%T\r\n", v) // which no reply begins with
}

type list = []any

// scanned is a reply as text.
func scanned(reply string) (string, error) {
	var b strings.Builder
	err := scanStreams([]byte(reply), func(key []byte, n int) error {
		fmt.Fprintf(&b, "%s:%d ", key, n)
		return nil
	}, show(&b))
	return b.String(), err
}

func show(b *strings.Builder) func(*entry) error {
	return func(e *entry) error {
		fmt.Fprintf(b, "%v", e.at)
		if e.gone {
			b.WriteString(" gone")
		}
		if e.has&hasKey != 0 {
			fmt.Fprintf(b, " k=%s", e.key)
		}
		if e.has&hasValue != 0 {
			fmt.Fprintf(b, " msg=%s", e.value)
		}
		if e.has&hasHeaders != 0 {
			fmt.Fprintf(b, " h=%s", e.headers)
		}
		b.WriteString("; ")
		return nil
	}
}

func TestRepliesAreRead(t *testing.T) {
	for _, x := range []struct{ reply, want string }{
		{"*-1\r\n", ""},
		{"_\r\n", ""},
		{"*0\r\n", ""},
		{resp(list{list{"s", list{}}}), "s:0 "},
		{resp(list{list{"s", list{list{"1-0", list{"msg", "a"}}}}}), "s:1 1-0 msg=a; "},
		{resp(list{list{"s", list{list{"1-0", list{"msg", ""}}, list{"1-1", nil}}}, list{"t", list{list{"2-0", list{"k", "key", "h", "x", "msg", "b\r\nc"}}}}}),
			"s:2 1-0 msg=; 1-1 gone; t:1 2-0 k=key msg=b\r\nc h=x; "},
		{resp(list{list{"s", list{list{"1-0", list{"MSG", "no", "other", "no"}}}}}), "s:1 1-0; "},
		{resp(list{list{"s", list{list{"1-0", list{"msg", "first", "msg", "second"}}}}}), "s:1 1-0 msg=first; "},
		// CLAIM in XREADGROUP adds to each entry; RESP3 answers a map.
		{"%1\r\n$1\r\ns\r\n*1\r\n*4\r\n$3\r\n1-0\r\n*2\r\n$3\r\nmsg\r\n$1\r\na\r\n:5\r\n:1\r\n", "s:1 1-0 msg=a; "},
	} {
		if got, err := scanned(x.reply); err != nil || got != x.want {
			t.Errorf("%q: %q, %v, want %q", x.reply, got, err, x.want)
		}
	}
}

func TestAServersErrorIsAnError(t *testing.T) {
	for reply, want := range map[string]string{
		"-NOGROUP No such key\r\n":                "NOGROUP",
		"-MOVED 1 127.0.0.1:7000\r\n":             "MOVED",
		"!21\r\nSYNTAX invalid syntax\r\n":        "SYNTAX",
		"-UNBLOCKED the stream key no longer\r\n": "UNBLOCKED",
	} {
		_, err := scanned(reply)
		if code(err) != want {
			t.Errorf("%q: %v", reply, err)
		}
	}
}

func TestMalformedRepliesAreErrors(t *testing.T) {
	good := resp(list{list{"s", list{list{"1-0", list{"msg", "a"}}, list{"1-1", nil}}}})
	for n := range good {
		if _, err := scanned(good[:n]); !errors.Is(err, errMalformed) {
			t.Errorf("%d bytes of %d: %v", n, len(good), err)
		}
	}
	for _, bad := range []string{
		good + " ", "*1\r\n", "*99999999999999999999\r\n", "*9223372036854775807\r\n", "$1\r\ns\r\n", ":1\r\n", "+OK\r\n", "*1\r\n*2\r\n$-1\r\n*0\r\n",
		resp(list{list{"s", list{list{"x", list{"msg", "a"}}}}}), resp(list{list{"s", list{list{"1-0", list{"msg"}}}}}), resp(list{list{"s", list{list{"1-0"}}}}),
	} {
		if got, err := scanned(bad); !errors.Is(err, errMalformed) {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
}

func TestClaimsAreRead(t *testing.T) {
	claim := func(reply string) (string, error) {
		var b strings.Builder
		next, err := scanClaim([]byte(reply), func([]byte, int) error { return nil }, show(&b), func(i id) { fmt.Fprintf(&b, "deleted %v; ", i) })
		fmt.Fprintf(&b, "next %v", next)
		return b.String(), err
	}
	for reply, want := range map[string]string{
		resp(list{"0-0", list{list{"1-0", list{"msg", "a"}}}, list{"1-1", "1-2"}}): "1-0 msg=a; deleted 1-1; deleted 1-2; next 0-0",
		resp(list{"5-1", list{nil, list{"1-0", list{"msg", "a"}}}}):                "1-0 msg=a; next 5-1", // 6.2
	} {
		if got, err := claim(reply); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", reply, got, err, want)
		}
	}
	for _, bad := range []string{"*-1\r\n", resp(list{"0-0"}), resp(list{"x", list{}}), resp(list{"0-0", list{}, list{"x"}})} {
		if got, err := claim(bad); !errors.Is(err, errMalformed) {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
}

// Whatever a server sends, the scanner stays inside it and says either what it
// is or that it is nothing.
func FuzzScanner(f *testing.F) {
	f.Add([]byte(resp(list{list{"s", list{list{"1-0", list{"msg", "a", "k", "b", "h", "\x00"}}, list{"1-1", nil}}}})))
	f.Add([]byte(resp(list{"0-0", list{list{"1-0", list{"msg", "a"}}}, list{"1-1"}})))
	f.Add([]byte("%1\r\n$1\r\ns\r\n*1\r\n*4\r\n$3\r\n1-0\r\n*2\r\n$3\r\nmsg\r\n$1\r\na\r\n:5\r\n*1\r\n:1\r\n"))
	f.Add([]byte("-ERR no\r\n"))
	f.Add([]byte("*1\r\n*2\r\n$1\r\ns\r\n*1000000000\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		page := func(_ []byte, n int) error {
			if n > len(b) {
				t.Fatalf("%d entries announced in %d bytes", n, len(b))
			}
			return nil
		}
		each := func(e *entry) error {
			total += len(e.value) + len(e.key) + len(e.headers)
			return nil
		}
		check := func(err error) {
			if total > len(b) {
				t.Fatalf("%d bytes of payload in %d", total, len(b))
			}
			if err != nil && code(err) == "" && !errors.Is(err, errMalformed) {
				t.Fatal(err)
			}
			total = 0
		}
		check(scanStreams(b, page, each))
		_, err := scanClaim(b, page, each, func(id) {})
		check(err)
	})
}
