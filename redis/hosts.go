package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/gostreamer/streamer/internal/peer"
	"github.com/redis/go-redis/v9"
)

// Where there are several hosts one that answers is enough. The client asks
// them one after another, and one that hangs takes all the time there is: so
// each is asked with a patience that is short at first.

// firstPatience is how long a host may take to answer while nothing speaks for
// waiting longer.
const firstPatience = time.Second

// hosts is the patience with those that tell where the data are: sentinels, and
// nodes that are asked for the cluster's slots.
type hosts struct {
	doubled atomic.Int32 // how often firstPatience was too short since a host answered last
}

func (h *hosts) patience() time.Duration {
	return min(firstPatience<<min(h.doubled.Load(), 8), replyTimeout)
}

// learn takes into account whether a host answered in time.
func (h *hosts) learn(err error) {
	switch {
	case err == nil:
		h.doubled.Store(0)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		h.doubled.Add(1)
	}
}

// node makes the client of a node of a cluster.
func (h *hosts) node(o *redis.Options) *redis.Client {
	c := redis.NewClient(o)
	c.AddHook(slotsHook{h})
	return c
}

// slotsHook bounds how long a node is waited for that is asked for the
// cluster's slots, which any other could tell as well.
type slotsHook struct{ h *hosts }

func (slotsHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (slotsHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (s slotsHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if _, ok := cmd.(*redis.ClusterSlotsCmd); !ok {
			return next(ctx, cmd)
		}
		asking, cancel := context.WithTimeout(ctx, s.h.patience())
		defer cancel()
		err := next(asking, cmd)
		if ctx.Err() == nil {
			s.h.learn(err)
		}
		return err
	}
}

// sentinelDialer dials sentinels that answer, and whatever else is dialled.
func (h *hosts) sentinelDialer(sentinels []string, t *tls.Config) func(ctx context.Context, network, addr string) (net.Conn, error) {
	is := make(map[string]bool)
	for _, addr := range sentinels {
		is[addr] = true
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if is[addr] && len(is) > 1 {
			err := h.ask(ctx, addr, t)
			if ctx.Err() == nil {
				h.learn(err)
			}
			if err != nil {
				return nil, err
			}
		}
		return connect(ctx, addr, t)
	}
}

// ask says whether a server answers at addr.
func (h *hosts) ask(ctx context.Context, addr string, t *tls.Config) error {
	asking, cancel := context.WithTimeout(ctx, h.patience())
	defer cancel()
	c, err := connect(asking, addr, t)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	defer peer.Bound(asking, c)()
	switch speaks, err := peer.AskRedis(c); {
	case speaks == peer.Redis:
		return nil
	case speaks != peer.Silent:
		return misplaced(addr, speaks, t != nil)
	case asking.Err() != nil:
		return &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s accepts connections and does not answer: %w", addr, asking.Err())}
	default:
		return &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("%s: %w", addr, err)}
	}
}

// connect dials one host as the settings say.
func connect(ctx context.Context, addr string, t *tls.Config) (net.Conn, error) {
	plain := &net.Dialer{Timeout: dialTimeout}
	network := "tcp"
	if isSocket(addr) {
		network = "unix"
	}
	if t == nil {
		return plain.DialContext(ctx, network, addr)
	}
	return (&tls.Dialer{NetDialer: plain, Config: t}).DialContext(ctx, network, addr)
}
