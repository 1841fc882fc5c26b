package streamer

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// marker is what a fuzzed password contains.
const marker = "hunter2"

func FuzzParseURI(f *testing.F) {
	for _, s := range []string{
		"", "://", "stdio://", "stdio:///a,b", "kafka://a:1,b:2/x,y", "redis://:hunter2@h:6379/orders:eu?db=2", "redis://localhost",
		"file:///tmp/My File/k", "file://./dir/x.ss/k", "file://Clock.SS/k", "redis://[fe80::1%25eth0]:1,[::1]/a%2Cb,,c",
		"redis://[::1%25a]b%5D:1/x", "redis://%5B%3A%3A1%5D:1,%5Ba%5D%3A5:1,%3A/x", "redis://h/a%2C%2Cb,%2C", "redis://u:hunter2%@h",
		"redis://u:1/hunter2@h/x", "redis://u:1?hunter2@h/x", "memory://?a=1&a=2&b=c=d;e&&x", "m://h/%zz?%zz=%zz", "localhost:9092/a", "proto://h/stream?",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err != nil {
			scheme, _, _ := strings.Cut(strings.ToLower(s), "://")
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%q: %v is not ErrInvalid", s, err)
			}
			if strings.Contains(err.Error(), marker) && !strings.Contains(scheme, marker) {
				t.Errorf("%q: the error shows the password: %v", s, err)
			}
			return
		}
		again, err := ParseURI(u.String())
		if err != nil {
			t.Fatalf("%q was written as %s: %v", s, u, err)
		}
		if again.String() != u.String() {
			t.Errorf("%q was written as %s, that as %s", s, u, again)
		}
		if !hasSecret(u) && !reflect.DeepEqual(u, again) {
			t.Errorf("%q was written as %s\ngot  %s\nwant %s", s, u, fields(again), fields(u))
		}
	})
}

func hasSecret(u *URI) bool {
	if u.User != nil {
		if _, ok := u.User.Password(); ok {
			return true
		}
	}
	for key := range u.Query {
		if u.Hides(key) {
			return true
		}
	}
	return false
}
