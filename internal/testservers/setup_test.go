package testservers

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(Main(m)) }

// recorder is a test that takes down what is said of it instead of passing it
// on.
type recorder struct {
	testing.TB
	failed bool
	said   []any
}

func (r *recorder) Helper()           {}
func (r *recorder) Log(args ...any)   { r.said = append(r.said, args...) }
func (r *recorder) Fatal(args ...any) { r.failed = true; r.Log(args...) }
func (r *recorder) Logf(format string, args ...any) {
	r.Log(format)
	r.Log(args...)
}

func mustReply(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Fatalf("%s answers %#v, not %#v", what, got, want)
	}
}
