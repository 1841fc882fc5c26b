package streamer

import (
	"errors"
	"strings"
	"testing"
)

func TestParseCreateIsStringsInverse(t *testing.T) {
	for _, want := range []Create{CreateAuto, CreateAlways, CreateNever, CreateNew} {
		if got, err := ParseCreate(want.String()); err != nil || got != want {
			t.Errorf("%v: got %v, %v", want, got, err)
		}
	}
}

func TestParseCreateListsTheWords(t *testing.T) {
	for _, in := range []string{"", "Auto", "true", Create(9).String()} {
		_, err := ParseCreate(in)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "auto, always, never, new") {
			t.Errorf("%q: got %v", in, err)
		}
	}
}
