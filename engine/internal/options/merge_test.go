package options

import (
	"log/slog"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// fill gives every field of the struct behind v a value made from n.
func fill(t *testing.T, v reflect.Value, n uint8) {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *streamer.Position:
		*x = streamer.At(streamer.SeqUint(uint64(n)))
		return
	case **slog.Logger:
		*x = slog.New(slog.DiscardHandler)
		return
	case *streamer.Hooks:
		return // JoinHooks
	}
	switch v.Kind() { //nolint:exhaustive // the default fails
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	case reflect.String:
		v.SetString(strconv.Itoa(int(n)))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(uint64(n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), n)
	default:
		t.Fatalf("no value for a %s", v.Type())
	}
}

func allSet(t *testing.T, n uint8) streamer.StreamerOptions {
	t.Helper()
	var o streamer.StreamerOptions
	fill(t, reflect.ValueOf(&o).Elem(), n)
	return o
}

func TestMergeTakesEveryOptionFromTheFirstThatSetsIt(t *testing.T) {
	high, low := allSet(t, 1), allSet(t, 2)
	check := func(name string, over, under, want streamer.StreamerOptions) {
		got := Merge(over, under)
		got.Hooks = streamer.Hooks{}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	check("both", high, low, high)
	check("lower alone", streamer.StreamerOptions{}, low, low)
	check("higher alone", high, streamer.StreamerOptions{}, high)
	check("neither", streamer.StreamerOptions{}, streamer.StreamerOptions{}, streamer.StreamerOptions{})
}

func TestMergeTakesNoLimitAsSet(t *testing.T) {
	over := streamer.ConsumerOptions{CommitEvery: streamer.Never, MaxInFlight: streamer.NoLimit, BufferBytes: streamer.NoLimit}
	under := streamer.ConsumerOptions{CommitEvery: time.Second, MaxInFlight: 10, BufferBytes: 10}
	if got := ConsumerOver(over, under); !reflect.DeepEqual(got, over) {
		t.Errorf("got %+v, want %+v", got, over)
	}
}

func TestMergeCallsTheHooksOfBoth(t *testing.T) {
	var called []string
	over := streamer.StreamerOptions{Hooks: streamer.Hooks{Fetched: func(streamer.FetchEvent) { called = append(called, "over") }}}
	under := streamer.StreamerOptions{Hooks: streamer.Hooks{Fetched: func(streamer.FetchEvent) { called = append(called, "under") }}}
	Merge(over, under).Hooks.Fetched(streamer.FetchEvent{})
	if !reflect.DeepEqual(called, []string{"over", "under"}) {
		t.Errorf("called %v", called)
	}
}
