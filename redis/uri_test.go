package redis

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func parsed(t *testing.T, uri string) (Config, error) {
	t.Helper()
	u, err := streamer.ParseURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse(u)
	if err == nil {
		err = c.complete()
	}
	return c, err
}

func TestURIsSayWhatConfigSays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from a file\r\nsecond line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for uri, want := range map[string]Config{
		"redis:///orders":                            {Addrs: []string{"localhost:6379"}},
		"redis://h/orders":                           {Addrs: []string{"h:6379"}},
		"redis://h:/orders":                          {Addrs: []string{"h:6379"}},
		"redis://[::1]/orders":                       {Addrs: []string{"[::1]:6379"}},
		"redis://[::1]:7/orders":                     {Addrs: []string{"[::1]:7"}},
		"redis://a:1,b/orders":                       {Addrs: []string{"a:1", "b:6379"}},
		"redis://s1,s2:5/orders?sentinel=m&db=2":     {Addrs: []string{"s1:26379", "s2:5"}, Sentinel: "m", DB: 2},
		"redis://me:pw%2F@h/orders":                  {Addrs: []string{"h:6379"}, Username: "me", Password: "pw/"},
		"redis://:pw@h/orders?username=me":           {Addrs: []string{"h:6379"}, Username: "me", Password: "pw"},
		"redis://me@h/orders?password_file=" + file:  {Addrs: []string{"h:6379"}, Username: "me", Password: "from a file"},
		"redis://h/orders?shards=3&create=always":    {Addrs: []string{"h:6379"}, Shards: 3, Create: streamer.CreateAlways},
		"redis://h/orders?shards=auto&time=id":       {Addrs: []string{"h:6379"}, Shards: ShardsAuto, SenderTime: true},
		"redis://h/7,8?shards=none":                  {Addrs: []string{"h:6379"}, Shards: ShardsNone},
		"redis://h/orders?maxlen=1000&maxage=24h":    {Addrs: []string{"h:6379"}, MaxLen: 1000, MaxAge: 24 * time.Hour},
		"redis://h/orders?block=1s&claim_idle=2s":    {Addrs: []string{"h:6379"}, Block: time.Second, ClaimIdle: 2 * time.Second},
		"redis://h/orders:eu?claim_interval=300ms":   {Addrs: []string{"h:6379"}, ClaimInterval: 300 * time.Millisecond},
		"redis://h/orders?mode=resumable&group=g":    {Addrs: []string{"h:6379"}},
		"redis://h/orders?prefetch=10&assign=0,1":    {Addrs: []string{"h:6379"}},
		"redis://h/orders?start=beginning&linger=5s": {Addrs: []string{"h:6379"}},
	} {
		got, err := parsed(t, uri)
		if err := errors.Join(err, want.complete()); err != nil {
			t.Errorf("%s: %v", uri, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", uri, got, want)
		}
	}
}

func TestURIsThatCannotBeRightAreRefused(t *testing.T) {
	for uri, hint := range map[string]string{
		"redis://h/2":                             "db=2",
		"redis://a,b/orders?db=1":                 "cluster",
		"redis://h/orders?db=-1":                  "0 or more",
		"redis://h/orders?shards=0":               "auto, none",
		"redis://h/orders?shards=many":            "auto, none",
		"redis://h/orders?maxlen=0":               "1 or more",
		"redis://h/orders?time=mine":              "want id",
		"redis://h/orders?block=0":                "at least",
		"redis://h/orders?sentinel=":              "empty",
		"redis://h/orders?tls_ca=x":               "rediss",
		"rediss://h/orders?tls_ca=/does/not":      "tls_ca",
		"rediss://h/orders?tls_cert=/does/not":    "tls_cert",
		"redis://me@h/orders?username=you":        "one of them",
		"redis://:pw@h/orders?password_file=x":    "one of them",
		"redis://h/orders?password_file=/not/you": "password_file",
		"redis://h/orders?create=maybe":           "auto",
		"redis://h/orders?nonsense=1":             "claim_idle",
	} {
		_, err := parsed(t, uri)
		if !errors.Is(err, streamer.ErrInvalid) || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v, want ErrInvalid with %q", uri, err, hint)
		}
	}
}

func TestConfigsThatCannotBeRightAreRefused(t *testing.T) {
	for _, c := range []Config{
		{Shards: -3}, {Shards: MaxShards + 1}, {DB: -1}, {MaxLen: -1}, {MaxAge: -1}, {Block: -1}, {ClaimIdle: 1}, {Block: 1 << 62}, {Create: 9}, {Addrs: []string{"a", "b"}, DB: 1},
	} {
		if _, err := newBackend(c); !errors.Is(err, streamer.ErrInvalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestThePasswordOfTheEnvironmentIsTheLast(t *testing.T) {
	t.Setenv(passwordVariable, "of the environment")
	for uri, want := range map[string]streamer.Secret{"redis://h/orders": "of the environment", "redis://:pw@h/orders": "pw"} {
		if c, err := parsed(t, uri); err != nil || c.Password != want {
			t.Errorf("%s: %q, %v", uri, string(c.Password), err)
		}
	}
}

func TestAConfigDoesNotPrintItsPassword(t *testing.T) {
	c := Config{Password: "hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb+verb, c, &c); strings.Contains(s, "hunter2") {
			t.Error(s)
		}
	}
}

func TestEveryOptionIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range options {
		if !strings.Contains(string(doc), o.Key+"=") {
			t.Errorf("the package's documentation does not name %s=", o.Key)
		}
		if o.Doc == "" {
			t.Errorf("%s has no Doc", o.Key)
		}
	}
}
