package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// doorBackend records what ConnectWith and Producer ask of it.
type doorBackend struct {
	ping   error
	closed bool
	sink   driver.SinkConfig
}

func (b *doorBackend) Name() string { return "door" }

func (b *doorBackend) OpenSource(context.Context, driver.SourceConfig) (driver.Source, error) {
	return nil, streamer.ErrUnsupported
}

func (b *doorBackend) OpenSink(_ context.Context, c driver.SinkConfig) (driver.Sink, error) {
	b.sink = c
	return nil, streamer.ErrUnsupported
}

func (b *doorBackend) Close(context.Context) error {
	b.closed = true
	return nil
}

func (b *doorBackend) Ping(context.Context) error { return b.ping }

// doors is what the schemes of tests lead to now: a scheme stays registered.
var doors sync.Map

// registerBackend has a scheme lead to open until t ends.
func registerBackend(t *testing.T, scheme string, open OpenFunc) {
	t.Helper()
	if !slices.Contains(streamer.Schemes(), scheme) {
		Register(scheme, func(ctx context.Context, u *streamer.URI) (driver.Backend, streamer.StreamerOptions, error) {
			door, _ := doors.Load(scheme)
			return door.(OpenFunc)(ctx, u)
		})
	}
	doors.Store(scheme, open)
	t.Cleanup(func() { doors.Delete(scheme) })
}

// openBackend is the OpenFunc of b.
func openBackend(b *doorBackend) OpenFunc {
	return func(_ context.Context, u *streamer.URI) (driver.Backend, streamer.StreamerOptions, error) {
		o, err := driver.Options(u)
		return b, o, err
	}
}

func TestConnectOpensWhatTheSchemeRegistered(t *testing.T) {
	b := &doorBackend{}
	registerBackend(t, "door", openBackend(b))
	s, err := streamer.Connect(t.Context(), "Door://log/orders")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil || !b.closed {
		t.Errorf("Close: %v, backend closed: %v", err, b.closed)
	}
}

func TestConnectChecksThatTheBackendAnswers(t *testing.T) {
	b := &doorBackend{ping: fmt.Errorf("%w: wrong password", streamer.ErrDenied)}
	registerBackend(t, "door", openBackend(b))
	_, err := streamer.Connect(t.Context(), "door://")
	if !errors.Is(err, streamer.ErrDenied) || !strings.HasSuffix(err.Error(), "door: denied: wrong password") {
		t.Errorf("got %v", err)
	}
	if !b.closed {
		t.Error("the backend that does not answer is left open")
	}

	b.ping = streamer.ErrUnsupported
	s, err := streamer.Connect(t.Context(), "door://")
	if err != nil {
		t.Fatalf("a backend that cannot be asked: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestConnectSaysWhatTheBackendSays(t *testing.T) {
	var answer error
	registerBackend(t, "door", func(context.Context, *streamer.URI) (driver.Backend, streamer.StreamerOptions, error) {
		return nil, streamer.StreamerOptions{}, answer
	})
	for _, tt := range []struct {
		answer error
		want   string
	}{
		{fmt.Errorf("%w: no such log", streamer.ErrNotFound), "connect door: not found: no such log"},
		{&streamer.Error{Op: "uri", Backend: "door", Kind: streamer.ErrInvalid}, "uri door: invalid"},
		{context.Canceled, "connect door: context canceled"}, // not of the program's context
	} {
		answer = tt.answer
		if _, err := streamer.Connect(t.Context(), "door://"); !errors.Is(err, tt.answer) && err.Error() != tt.want || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestTheURIWinsOverDefaultsAndTheCallOverTheURI(t *testing.T) {
	for _, tt := range []struct{ name, uri, inCode, call, want string }{
		{"default from code", "door://", "code", "", "code"},
		{"URI over code", "door:///uri", "code", "", "uri"},
		{"call over URI", "door:///uri", "code", "call", "call"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &doorBackend{}
			registerBackend(t, "door", openBackend(b))
			s, err := streamer.ConnectWith(t.Context(), tt.uri, streamer.StreamerOptions{Producer: streamer.ProducerOptions{Stream: tt.inCode}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Producer(t.Context(), streamer.ProducerOptions{Stream: tt.call}); !errors.Is(err, streamer.ErrUnsupported) {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if b.sink.Stream != tt.want {
				t.Errorf("got stream %q, want %q", b.sink.Stream, tt.want)
			}
		})
	}
}
