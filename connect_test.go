package streamer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// doorBackend records what ConnectWith and Producer ask of it.
type doorBackend struct {
	ping   error
	closed bool
	sink   SinkConfig
}

func (b *doorBackend) Name() string { return "door" }

func (b *doorBackend) OpenSource(context.Context, SourceConfig) (Source, error) {
	return nil, ErrUnsupported
}

func (b *doorBackend) OpenSink(_ context.Context, c SinkConfig) (Sink, error) {
	b.sink = c
	return nil, ErrUnsupported
}

func (b *doorBackend) Close(context.Context) error {
	b.closed = true
	return nil
}

func (b *doorBackend) Ping(context.Context) error { return b.ping }

// registerForTest is Register until t ends.
func registerForTest(t *testing.T, scheme string, open OpenFunc) {
	t.Helper()
	Register(scheme, open)
	t.Cleanup(func() {
		schemes.Lock()
		defer schemes.Unlock()
		delete(schemes.open, scheme)
	})
}

// openDoor is the OpenFunc of b.
func openDoor(b *doorBackend) OpenFunc {
	return func(_ context.Context, u *URI) (Backend, StreamerOptions, error) {
		o, err := u.Options()
		return b, o, err
	}
}

func TestConnectOpensWhatTheSchemeRegistered(t *testing.T) {
	b := &doorBackend{}
	registerForTest(t, "door", openDoor(b))
	s, err := Connect(t.Context(), "Door://log/orders")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil || !b.closed {
		t.Errorf("Close: %v, backend closed: %v", err, b.closed)
	}
}

func TestConnectNamesTheImportThatIsMissing(t *testing.T) {
	registerForTest(t, "door", openDoor(&doorBackend{}))
	for scheme, want := range map[string]string{
		"kafka":   `import _ "github.com/gostreamer/streamer/kafka" (registered: `,
		"rediss":  `import _ "github.com/gostreamer/streamer/redis" (registered: `,
		"kinesis": `no package of this module knows it (registered: `,
		"sqs":     `no package of this module knows it (registered: `,
		"amqp":    `no package of this module knows it (registered: `,
	} {
		_, err := Connect(t.Context(), scheme+"://u:hunter2@h/x")
		if !errors.Is(err, ErrInvalid) {
			t.Fatalf("%s: got %v, want ErrInvalid", scheme, err)
		}
		want = fmt.Sprintf("connect: invalid: unknown scheme %q: %s", scheme, want)
		if !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "door") {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestEveryImportThatIsNamedExists: the schemes that the hint knows are those
// which packages of this module register.
func TestEveryImportThatIsNamedExists(t *testing.T) {
	for _, scheme := range []string{"memory", "stdio", "file", "redis", "rediss", "redis+unix", "kafka", "kinesis", "sqs", "cloudwatch", "nats", "amqp"} {
		pkg := packageOf(scheme)
		_, err := os.Stat(filepath.Join(cmp.Or(pkg, scheme), "doc.go"))
		if named, exists := pkg != "", err == nil; named != exists {
			t.Errorf("%s: the hint names a package: %v, there is one: %v", scheme, named, exists)
		}
	}
}

func TestRegisterRefusesATakenOrImpossibleScheme(t *testing.T) {
	open := openDoor(&doorBackend{})
	registerForTest(t, "door", open)
	for _, tt := range []struct {
		scheme string
		open   OpenFunc
	}{{"door", open}, {"", open}, {"Door", open}, {"do or", open}, {"7door", open}, {"window", nil}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Register(%q) did not panic", tt.scheme)
				}
			}()
			Register(tt.scheme, tt.open)
		}()
	}
}

func TestSchemesAreInOrder(t *testing.T) {
	for _, scheme := range []string{"door-b", "door-c", "door-a"} {
		registerForTest(t, scheme, openDoor(&doorBackend{}))
	}
	all := Schemes()
	if !slices.IsSorted(all) {
		t.Errorf("got %v", all)
	}
	for _, scheme := range []string{"door-a", "door-b", "door-c"} {
		if !slices.Contains(all, scheme) {
			t.Errorf("%s is not in %v", scheme, all)
		}
	}
}

func TestConnectChecksThatTheBackendAnswers(t *testing.T) {
	b := &doorBackend{ping: fmt.Errorf("%w: wrong password", ErrDenied)}
	registerForTest(t, "door", openDoor(b))
	_, err := Connect(t.Context(), "door://")
	if !errors.Is(err, ErrDenied) || !strings.HasSuffix(err.Error(), "door: denied: wrong password") {
		t.Errorf("got %v", err)
	}
	if !b.closed {
		t.Error("the backend that does not answer is left open")
	}

	b.ping = ErrUnsupported
	s, err := Connect(t.Context(), "door://")
	if err != nil {
		t.Fatalf("a backend that cannot be asked: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestConnectSaysWhatTheBackendSays(t *testing.T) {
	var answer error
	registerForTest(t, "door", func(context.Context, *URI) (Backend, StreamerOptions, error) {
		return nil, StreamerOptions{}, answer
	})
	for _, tt := range []struct {
		answer error
		want   string
	}{
		{fmt.Errorf("%w: no such log", ErrNotFound), "connect door: not found: no such log"},
		{&Error{Op: "uri", Backend: "door", Kind: ErrInvalid}, "uri door: invalid"},
		{context.Canceled, "connect door: context canceled"}, // not of the program's context
	} {
		answer = tt.answer
		if _, err := Connect(t.Context(), "door://"); !errors.Is(err, tt.answer) && err.Error() != tt.want || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestConnectDoesNotOpenWhenItsContextHasEnded(t *testing.T) {
	registerForTest(t, "door", func(context.Context, *URI) (Backend, StreamerOptions, error) {
		t.Error("opened")
		return nil, StreamerOptions{}, ErrDenied
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Connect(ctx, "door://"); err != context.Canceled { //nolint:errorlint // the promise is: unwrapped
		t.Errorf("got %v, want context.Canceled", err)
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
			registerForTest(t, "door", openDoor(b))
			s, err := ConnectWith(t.Context(), tt.uri, StreamerOptions{Producer: ProducerOptions{Stream: tt.inCode}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Producer(t.Context(), ProducerOptions{Stream: tt.call}); !errors.Is(err, ErrUnsupported) {
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
