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

// registerForTest is Register until t ends.
func registerForTest(t *testing.T, scheme string, open Connector) {
	t.Helper()
	Register(scheme, open)
	t.Cleanup(func() {
		schemes.Lock()
		defer schemes.Unlock()
		delete(schemes.open, scheme)
	})
}

// openDoor refuses every connection.
func openDoor(context.Context, *URI, StreamerOptions) (Streamer, error) { return nil, ErrUnsupported }

func TestConnectNamesTheImportThatIsMissing(t *testing.T) {
	registerForTest(t, "door", openDoor)
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
	registerForTest(t, "door", openDoor)
	for _, tt := range []struct {
		scheme string
		open   Connector
	}{{"door", openDoor}, {"", openDoor}, {"Door", openDoor}, {"do or", openDoor}, {"7door", openDoor}, {"window", nil}} {
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
		registerForTest(t, scheme, openDoor)
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

func TestConnectDoesNotOpenWhenItsContextHasEnded(t *testing.T) {
	registerForTest(t, "door", func(context.Context, *URI, StreamerOptions) (Streamer, error) {
		t.Error("opened")
		return nil, ErrDenied
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Connect(ctx, "door://"); err != context.Canceled { //nolint:errorlint // the promise is: unwrapped
		t.Errorf("got %v, want context.Canceled", err)
	}
}
