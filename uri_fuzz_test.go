package streamer

import (
	"errors"
	"net/url"
	"reflect"
	"slices"
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

func FuzzBind(f *testing.F) {
	for _, row := range CommonOptions() {
		f.Add(row.Key, "")
	}
	for _, s := range [][2]string{
		{"size", "64MiB"}, {"create", "always"}, {"pin", "hunter2"}, {"pin", "s3cret"}, {"where", "x"}, {"mode", "resumable"}, {"start", "-1h"},
		{"start", "2026-01-02T15:04:05Z"}, {"assign", "0,3"}, {"commit", "never"}, {"buffer", "8589934592GiB"}, {"max_in_flight", "0"}, {"password", "hunter2"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		u := &URI{Scheme: "memory", Query: url.Values{key: {value}}}
		bindErr := Bind(u, &testConfig{}, testTable())
		o, optionsErr := Options(u)
		for _, err := range []error{bindErr, optionsErr} {
			if err != nil && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrNotFound) {
				t.Errorf("%q=%q: %v has no kind", key, value, err)
			}
			if err != nil && u.Hides(key) && strings.Contains(value, marker) && !strings.Contains(key, marker) && strings.Contains(err.Error(), marker) {
				t.Errorf("%q=%q: the error shows the secret: %v", key, value, err)
			}
		}
		if optionsErr != nil && !reflect.DeepEqual(o, StreamerOptions{}) {
			t.Errorf("%q=%q: options beside an error: %+v", key, value, o)
		}
		common := slices.ContainsFunc(CommonOptions(), func(row URIOption[StreamerOptions]) bool { return row.Key == key })
		if common && bindErr != nil {
			t.Errorf("%q=%q: Bind refused what Options reads: %v", key, value, bindErr)
		}
	})
}
