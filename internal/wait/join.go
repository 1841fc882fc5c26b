package wait

import "context"

// Join waits for f, at most until ctx ends: what hangs must not hang its user.
// f continues alone then.
func Join(ctx context.Context, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Signal puts a token into a channel of capacity 1, unless it holds one.
func Signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
