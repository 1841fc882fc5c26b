package redis

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/gostreamer/streamer/internal/wait"
)

const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 2 * time.Second

	// outage is how long opening waits for servers that answered when the
	// client connected: a cluster is down for two seconds after its nodes
	// start, and a fail-over takes a few.
	outage = 10 * time.Second
)

// patiently tries a few times what a lost connection may have spoilt and what
// may be done twice.
func patiently(ctx context.Context, f func() error) error {
	return fewTimes(ctx, f, func(err error) bool { return isLost(err) || isUnsent(err) || passes(err) })
}

// politely tries a few times what the server refuses for a while.
func politely(ctx context.Context, f func() error) error {
	return fewTimes(ctx, f, passes)
}

func fewTimes(ctx context.Context, f func() error, again func(error) bool) error {
	const tries = 5
	pause := firstRetry
	for i := 1; ; i++ {
		err := f()
		if err == nil || i == tries || !again(err) || !wait.Pause(ctx, pause) {
			return err
		}
		pause *= 2
	}
}

// atLast does what opening needs, and may be done twice, as soon as the servers
// let it. A server that loads its data is on its way, however long that takes.
func (b *backend) atLast(ctx context.Context, retrying func(string, error, time.Duration), f func() error) error {
	pause := firstRetry
	for end := time.Now().Add(outage); ; {
		err := f()
		if err == nil && pause > firstRetry {
			retrying("open", nil, 0)
		}
		if code(err) == "LOADING" {
			end = time.Now().Add(outage)
		}
		if err == nil || !isOutage(err) || b.isAstray(err) || b.closed.Load() || time.Now().After(end) || ctx.Err() != nil {
			return err
		}
		if cluster, ok := b.cluster(); ok {
			cluster.ReloadState(ctx)
		}
		retrying("open", translate(err), pause)
		if !wait.Pause(ctx, pause) {
			return err
		}
		pause = min(2*pause, lastRetry)
	}
}

// isOutage says that a server cannot be reached or does not serve now.
func isOutage(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || isUnsent(err) || passes(err)
}
