package streamer

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestParseURITakesAURIApart(t *testing.T) {
	pw := url.UserPassword
	tests := []struct {
		in   string
		want URI
	}{
		// The strings that SeaStreamer documents and tests.
		{"kafka://a:1,b:2/x,y", URI{Scheme: "kafka", Hosts: []string{"a:1", "b:2"}, Path: "/x,y", Streams: []string{"x", "y"}}},
		{"redis://localhost/", URI{Scheme: "redis", Hosts: []string{"localhost"}, Path: "/"}},
		{"redis://localhost", URI{Scheme: "redis", Hosts: []string{"localhost"}}},
		{"redis://localhost/a,b", URI{Scheme: "redis", Hosts: []string{"localhost"}, Path: "/a,b", Streams: []string{"a", "b"}}},
		{"stdio://", URI{Scheme: "stdio"}},
		{"stdio:///", URI{Scheme: "stdio", Path: "/"}},
		{"stdio:///a,b", URI{Scheme: "stdio", Path: "/a,b", Streams: []string{"a", "b"}}},
		{"file:///tmp/x.ss/k", URI{Scheme: "file", Path: "/tmp/x.ss/k", Streams: []string{"tmp/x.ss/k"}}},
		{"file://./dir/x.ss/k", URI{Scheme: "file", Hosts: []string{"."}, Path: "/dir/x.ss/k", Streams: []string{"dir/x.ss/k"}}},
		{"file://./path/to/hi/a,b", URI{Scheme: "file", Hosts: []string{"."}, Path: "/path/to/hi/a,b", Streams: []string{"path/to/hi/a", "b"}}},
		{"file://./path/to/hi/", URI{Scheme: "file", Hosts: []string{"."}, Path: "/path/to/hi/", Streams: []string{"path/to/hi/"}}},
		{"file:///path/to/hi", URI{Scheme: "file", Path: "/path/to/hi", Streams: []string{"path/to/hi"}}},
		{"file://clock.ss/clock", URI{Scheme: "file", Hosts: []string{"clock.ss"}, Path: "/clock", Streams: []string{"clock"}}},
		{"file://Clock.SS/k", URI{Scheme: "file", Hosts: []string{"Clock.SS"}, Path: "/k", Streams: []string{"k"}}},
		{"file:///tmp/My File/k", URI{Scheme: "file", Path: "/tmp/My File/k", Streams: []string{"tmp/My File/k"}}},
		{"file:///tmp/My%20File/k", URI{Scheme: "file", Path: "/tmp/My File/k", Streams: []string{"tmp/My File/k"}}},
		{"file:///tmp/a,b/k", URI{Scheme: "file", Path: "/tmp/a,b/k", Streams: []string{"tmp/a", "b/k"}}},
		{"proto://h/stream?", URI{Scheme: "proto", Hosts: []string{"h"}, Path: "/stream", Streams: []string{"stream"}}},

		// Credentials, several hosts, addresses.
		{"redis://:pw@h:6379/orders:eu?db=2", URI{Scheme: "redis", User: pw("", "pw"), Hosts: []string{"h:6379"},
			Path: "/orders:eu", Streams: []string{"orders:eu"}, Query: url.Values{"db": {"2"}}}},
		{"rediss://me:p%40ss%3A%2F@a,b:1/x", URI{Scheme: "rediss", User: pw("me", "p@ss:/"), Hosts: []string{"a", "b:1"}, Path: "/x", Streams: []string{"x"}}},
		{"kafka://me@a/x", URI{Scheme: "kafka", User: url.User("me"), Hosts: []string{"a"}, Path: "/x", Streams: []string{"x"}}},
		{"kafka://,a,,b,/x", URI{Scheme: "kafka", Hosts: []string{"a", "b"}, Path: "/x", Streams: []string{"x"}}},
		{"redis://[::1]:6379,[fe80::1%25eth0]/x", URI{Scheme: "redis", Hosts: []string{"[::1]:6379", "[fe80::1%eth0]"}, Path: "/x", Streams: []string{"x"}}},
		{"kafka://h:/x", URI{Scheme: "kafka", Hosts: []string{"h:"}, Path: "/x", Streams: []string{"x"}}},
		{"REDIS://Host/Orders", URI{Scheme: "redis", Hosts: []string{"Host"}, Path: "/Orders", Streams: []string{"Orders"}}},

		// Names are decoded after the split; nothing else is special in them.
		{"redis://h/a%2Cb,c", URI{Scheme: "redis", Hosts: []string{"h"}, Path: "/a,b,c", Streams: []string{"a,b", "c"}}},
		{"redis://h/,a,,b,", URI{Scheme: "redis", Hosts: []string{"h"}, Path: "/,a,,b,", Streams: []string{"a", "b"}}},
		{"redis://h/a%3Fb%00%FF", URI{Scheme: "redis", Hosts: []string{"h"}, Path: "/a?b\x00\xff", Streams: []string{"a?b\x00\xff"}}},
		{"redis://h/a#b+c", URI{Scheme: "redis", Hosts: []string{"h"}, Path: "/a#b+c", Streams: []string{"a#b+c"}}},
		{"redis://h//a//b", URI{Scheme: "redis", Hosts: []string{"h"}, Path: "//a//b", Streams: []string{"/a//b"}}},
		{"kafka://h:1/x?username=a@b", URI{Scheme: "kafka", Hosts: []string{"h:1"}, Path: "/x", Streams: []string{"x"}, Query: url.Values{"username": {"a@b"}}}},
		{"redis://h/user@x", URI{Scheme: "redis", Hosts: []string{"h"}, Path: "/user@x", Streams: []string{"user@x"}}},
		{"file:///tmp/Grüße.ss/k", URI{Scheme: "file", Path: "/tmp/Grüße.ss/k", Streams: []string{"tmp/Grüße.ss/k"}}},

		// Options.
		{"memory://log?mode=resumable&group=a%20b&&x", URI{Scheme: "memory", Hosts: []string{"log"},
			Query: url.Values{"mode": {"resumable"}, "group": {"a b"}, "x": {""}}}},
		{"memory://?a=1&a=2&b=c=d;e", URI{Scheme: "memory", Query: url.Values{"a": {"1", "2"}, "b": {"c=d;e"}}}},
		{"memory:///x?start=2026-01-02T03:04:05+01:00", URI{Scheme: "memory", Path: "/x", Streams: []string{"x"},
			Query: url.Values{"start": {"2026-01-02T03:04:05+01:00"}}}},
		{"memory:///x?a=b?c/d@e", URI{Scheme: "memory", Path: "/x", Streams: []string{"x"}, Query: url.Values{"a": {"b?c/d@e"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseURI(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want.Query == nil {
				tt.want.Query = url.Values{}
			}
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got  %s", fields(got))
				t.Errorf("want %s", fields(&tt.want))
			}
		})
	}
}

// fields shows what String would render the same.
func fields(u *URI) string {
	return strings.Join([]string{u.Scheme, u.User.String(), quoteAll(u.Hosts), u.Path, quoteAll(u.Streams), u.Query.Encode(), u.rawPath}, " | ")
}

func quoteAll(all []string) string { return "[" + strings.Join(all, "; ") + "]" }

func TestParseURIRefusesWhatIsMalformed(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", "want scheme://"},
		{"orders", "want scheme://"},
		{"sea-ql.org:1234", "want scheme://"},
		{"localhost:9092/a", "want scheme://"},
		{"localhost/a", "want scheme://"},
		{"redis:/h/a", "want scheme://"},
		{"://x/a", "want scheme://"},
		{"1redis://h/a", "want scheme://"},
		{"re dis://h/a", "want scheme://"},
		{"redis://h/a\n", "control character"},
		{"redis://h\x00/a", "control character"},
		{"redis://h:port/a", "host 1: after ':' there must be a port"},
		{"kafka://a:1,b:65536/x", "host 2: after ':' there must be a port"},
		{"kafka://a:-1/x", "host 1: after ':' there must be a port"},
		{"kafka://a:1:2/x", "host 1: after ':' there must be a port"},
		{"redis://::1:6379/x", "in brackets"},
		{"redis://:6379/x", "a port without a host"},
		{"redis://[::1/x", "host 1"},
		{"redis://[127.0.0.1]/x", "IPv6"},
		{"redis://[::1]x/x", "IPv6"},
		{"redis://a@b@c/x", "two '@'"},
		{"redis://u:p@a,u:p@b/x", "two '@'"},
		{"redis://%zz@h/x", "user: after '%'"},
		{"redis://u:%zz@h/x", "password: after '%'"},
		{"redis://h%/x", "host 1: after '%'"},
		{"file:///tmp/100%/x.ss", "path: after '%'"},
		{"file:///x?group=%f", "option 1: after '%'"},
		{"file:///x?=1", "after '?' there must be option=value"},
		{"file:///x?a b=1", "after '?' there must be option=value"},
		{"file:///x?a?b=1", "after '?' there must be option=value"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			u, err := ParseURI(tt.in)
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("got %v, %v; want ErrInvalid", u, err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestParseURIErrorsNeverContainThePassword(t *testing.T) {
	for _, in := range []string{
		"redis:hunter2@h/x",
		"hunter2@h/x",
		"redis://u:hunter2@h:port/x",
		"redis://u:hunter2@h/100%",
		"redis://u:hunter2%@h/x",
		"redis://u:hunter2@a@b/x",
		"redis://u:hunter2@a,u:hunter2@b/x",
		"redis://u:hunter2/rest@h/x",
		"redis://u:hunter2?rest@h/x",
		"redis://:1/hunter2@h/x",
		"redis://u:1/hunter2@h/x",
		"redis://:1?hunter2@h/x",
		"redis://u:1?hunter2@h/x",
		"redis://u:1?hunter2=1@h/x",
		"redis://u:hunter2\n@h/x",
		"redis://h/x?password=hunter2%",
		"redis://h/x?hunter2@=1",
	} {
		u, err := ParseURI(in)
		if err == nil {
			t.Errorf("%s: got %#v, want an error", in, u.Hosts)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the password: %v", in, err)
		}
	}
}

func TestURIStringIsReadBackUnchanged(t *testing.T) {
	for _, in := range []string{
		"stdio://",
		"stdio:///",
		"stdio:///a,b",
		"redis://h",
		"redis://me@h:6379/orders:eu?db=2",
		"redis://@h/x",
		"redis://[::1]:6379,[fe80::1%25eth0]/x",
		"redis://[::1%25a]b%5D:1/x",
		"redis://%5B%3A%3A1%5D:1,%5Ba%5D%3A5:1,a%3Ab,a%3A1,%3A/x",
		"redis://h/a%2Cb,c,%2C",
		"redis://h/,a,,b%2C",
		"redis://h/a,,b",
		"redis://h/a%2C%2Cb",
		"redis://h/%25%3F%23%00%FF+ ",
		"file:///tmp/Grüße 1,2.ss/k",
		"file://./Dir With Space/x.ss/k",
		"memory://?a=1&a=2&b=&c=%26%3D%25%23%2B+&x.y-z_0=1",
		"memory:///x?start=2026-01-02T03:04:05+01:00&endpoint=http://h:1/p?q",
	} {
		t.Run(in, func(t *testing.T) { checkRoundTrip(t, in) })
	}
}

func checkRoundTrip(t *testing.T, in string) {
	t.Helper()
	u, err := ParseURI(in)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseURI(u.String())
	if err != nil {
		t.Fatalf("%s was written as %s: %v", in, u, err)
	}
	if !reflect.DeepEqual(u, again) {
		t.Errorf("%s was written as %s", in, u)
		t.Errorf("got  %s", fields(again))
		t.Errorf("want %s", fields(u))
	}
}

func TestURIStringFollowsItsFields(t *testing.T) {
	changed, err := ParseURI("redis://h/a%2Cb,,c")
	if err != nil {
		t.Fatal(err)
	}
	changed.Path, changed.Streams = "/new", []string{"new"}
	for _, tt := range []struct {
		u    URI
		want string
	}{
		{*changed, "redis://h/new"},
		{URI{Scheme: "kafka", Hosts: []string{"a", "b:1"}, Streams: []string{"x,y", "z"}}, "kafka://a,b:1/x%2Cy,z"},
		{URI{Scheme: "file", Path: "/a b,c.ss/k"}, "file:///a%20b,c.ss/k"},
		{URI{Scheme: "file", Hosts: []string{"."}, Path: "x.ss"}, "file://./x.ss"},
		{URI{Scheme: "memory", Query: url.Values{"b": {"2"}, "a": {"1", "0"}}}, "memory://?a=1&a=0&b=2"},
	} {
		if got := tt.u.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
