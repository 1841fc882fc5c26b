package redis

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

// TestAURIOfAUnixSocketNamesStreamsBehindTheSocket: the first on the path that
// is no directory, or, while there is none, what a socket is called.
func TestAURIOfAUnixSocketNamesStreamsBehindTheSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "socket") //nolint:usetesting // a test's own has a longer name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Mkdir(filepath.Join(dir, "a.sock"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "a.sock", "server"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for uri, want := range map[string][]string{
		"redis+unix://" + dir + "/a.sock/server/orders":           {dir + "/a.sock/server", "orders"},
		"redis+unix://" + dir + "/a.sock/server/a/b.sock,c?db=2":  {dir + "/a.sock/server", "a/b.sock", "c"},
		"redis+unix://" + dir + "/a.sock/server":                  {dir + "/a.sock/server"},
		"redis+unix://" + dir + "/a.sock/server/":                 {dir + "/a.sock/server"},
		"redis+unix:///not/there/redis.sock/orders?shards=auto":   {"/not/there/redis.sock", "orders"},
		"redis+unix:///not/there/redis.socket/orders%2Ceu,x":      {"/not/there/redis.socket", "orders,eu", "x"},
		"redis+unix://me:pw@/not/there/redis.sock":                {"/not/there/redis.sock"},
		"redis+unix:///not/there/server":                          {"/not/there/server"},
		"REDIS+UNIX:///not/there/a%2Cb.sock/orders?mode=realtime": {"/not/there/a,b.sock", "orders"},
	} {
		u, err := streamer.ParseURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		b, o, err := open(t.Context(), u)
		if err != nil {
			t.Errorf("%s: %v", uri, err)
			continue
		}
		defer b.Close(t.Context())
		got := append(slices.Clone(b.(*backend).cfg.Addrs), o.Consumer.Streams...)
		if !slices.Equal(got, want) {
			t.Errorf("%s: socket and streams are %q, want %q", uri, got, want)
		}
	}
}

func TestURIsOfUnixSocketsThatCannotBeRightAreRefused(t *testing.T) {
	for uri, hint := range map[string]string{
		"redis+unix://host/run/redis.sock/orders": "no host",
		"redis+unix://":                                       "redis.sock/stream",
		"redis+unix:///?db=1":                                 "redis.sock/stream",
		"redis+unix://" + os.TempDir():                        "directory",
		"redis+unix:///not/there.sock/7":                      "db=7",
		"redis+unix:///not/there.sock/orders?sentinel=m":      "one server",
		"redis+unix:///not/there.sock/orders?tls_ca=x":        "rediss",
		"redis+unix:///not/there.sock/orders?stream=orders":   "unknown option",
		"redis:///orders?sentinel=m&socket=/not/there.sock/x": "unknown option",
	} {
		u, err := streamer.ParseURI(uri)
		if err == nil {
			_, _, err = open(t.Context(), u)
		}
		if !errors.Is(err, streamer.ErrInvalid) || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v, want ErrInvalid with %q", uri, err, hint)
		}
	}
}
