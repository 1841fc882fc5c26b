package driver

import (
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

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
	const marker = "hunter2" // what a fuzzed password contains
	f.Fuzz(func(t *testing.T, key, value string) {
		u := &streamer.URI{Scheme: "memory", Query: url.Values{key: {value}}}
		bindErr := Bind(u, &testConfig{}, testTable())
		o, optionsErr := Options(u)
		for _, err := range []error{bindErr, optionsErr} {
			if err != nil && !errors.Is(err, streamer.ErrInvalid) && !errors.Is(err, streamer.ErrNotFound) {
				t.Errorf("%q=%q: %v has no kind", key, value, err)
			}
			if err != nil && u.Hides(key) && strings.Contains(value, marker) && !strings.Contains(key, marker) && strings.Contains(err.Error(), marker) {
				t.Errorf("%q=%q: the error shows the secret: %v", key, value, err)
			}
		}
		if optionsErr != nil && !reflect.DeepEqual(o, streamer.StreamerOptions{}) {
			t.Errorf("%q=%q: options beside an error: %+v", key, value, o)
		}
		common := slices.ContainsFunc(CommonOptions(), func(row URIOption[streamer.StreamerOptions]) bool { return row.Key == key })
		if common && bindErr != nil {
			t.Errorf("%q=%q: Bind refused what Options reads: %v", key, value, bindErr)
		}
	})
}
