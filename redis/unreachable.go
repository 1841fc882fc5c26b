package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/peer"
	"github.com/redis/go-redis/v9"
)

// suspicious is how long a server may take to answer before its port is asked
// what it speaks.
const suspicious = time.Second

// Ping implements driver.Pinger. Its error says, as far as possible, what is
// wrong with the way to the server. A server that temporarily refuses PING,
// because it loads its data or could not save them, counts as reachable.
func (b *backend) Ping(ctx context.Context) error {
	if b.closed.Load() {
		return streamer.ErrClosed
	}
	asked := make(chan error, 1)
	late := time.AfterFunc(suspicious, func() { asked <- b.stranger(context.WithoutCancel(ctx)) })
	err := b.ping(ctx)
	var stranger error
	if !late.Stop() {
		stranger = <-asked
	} else if err != nil && ctx.Err() == nil && isLost(err) {
		stranger = b.stranger(ctx)
	}
	switch {
	case err == nil, isState(err):
		return nil
	case b.closed.Load():
		return streamer.ErrClosed
	case stranger != nil:
		return fmt.Errorf("%w (%s)", stranger, err.Error())
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return b.unreachable(err)
}

// ping asks the server, or any master of a cluster: the others may be down.
func (b *backend) ping(ctx context.Context) error {
	if c, ok := b.cluster(); ok {
		return pingCluster(ctx, c)
	}
	err := b.client.Ping(ctx).Err()
	if err == nil || isState(err) {
		err = b.meet(ctx)
	}
	return err
}

func pingCluster(ctx context.Context, c *redis.ClusterClient) error {
	err := anyMaster(ctx, c, firstPatience)
	if err != nil && ctx.Err() == nil && code(err) == "" {
		err = anyMaster(ctx, c, replyTimeout)
	}
	return err
}

// anyMaster asks all masters side by side: nil when one answered within
// patience.
func anyMaster(ctx context.Context, c *redis.ClusterClient, patience time.Duration) error {
	var answered atomic.Bool
	err := c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		asking, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		err := node.Ping(asking).Err()
		if err == nil {
			answered.Store(true)
		}
		return err
	})
	if answered.Load() {
		return nil
	}
	return err
}

// unreachable says what to do about a server that could not be asked.
func (b *backend) unreachable(err error) error {
	if typed := translate(err); code(err) != "" || typed != err { //nolint:errorlint // translate gave it a kind
		return typed
	}
	if b.atSocket() {
		return unreachableSocket(err)
	}
	secure := b.cfg.TLS != nil
	switch {
	case isA[*tls.CertificateVerificationError](err), isA[x509.UnknownAuthorityError](err):
		return unfit(err, "the server's certificate is not trusted under this name: check tls_ca= and the host")
	case isRemoteAlert(err):
		return &streamer.Error{Kind: streamer.ErrDenied, Err: fmt.Errorf("the server refuses the certificate, or wants one: check tls_cert= and tls_key=: %w", err)}
	case isA[tls.RecordHeaderError](err):
		return unfit(err, "the port does not speak TLS: want redis://, or another port")
	case isNoHost(err):
		return unfit(err, "no such host")
	case errors.Is(err, syscall.ECONNREFUSED):
		return &streamer.Error{Err: fmt.Errorf("%w (nothing listens there: check the host and the port)", err)}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return &streamer.Error{Err: fmt.Errorf("%w (no answer: check the host, the port and the network)", err)}
	case !isHangUp(err):
		return err
	case secure:
		return unfit(err, "the port closes the connection: want redis:// for a server without TLS, or another port")
	}
	return unfit(err, "the port closes the connection: want rediss:// for a server behind TLS, or another port")
}

// unreachableSocket is unreachable for a unix socket.
func unreachableSocket(err error) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return &streamer.Error{Err: fmt.Errorf("%w (no server listens on the socket: start it, or name the path that its unixsocket= says)", err)}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return &streamer.Error{Err: fmt.Errorf("%w (no answer on the socket)", err)}
	case isHangUp(err):
		return unfit(err, "the socket's server closes the connection: want the path that a Redis server's unixsocket= says")
	}
	return err
}

// atSocket says that the server is behind a unix socket.
func (b *backend) atSocket() bool { return len(b.cfg.Addrs) > 0 && isSocket(b.cfg.Addrs[0]) }

// isHangUp says that the other end closed the connection.
func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func unfit(err error, hint string) error {
	return &streamer.Error{Kind: streamer.ErrInvalid, Err: fmt.Errorf("%s: %w", hint, err)}
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func isNoHost(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

func isRemoteAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

// stranger is why none of the hosts can be talked to as the settings say; nil
// when one may be, or that is unknown.
func (b *backend) stranger(ctx context.Context) error {
	if b.cfg.Client != nil {
		return nil
	}
	found := make(chan error, len(b.cfg.Addrs))
	for _, addr := range b.cfg.Addrs {
		go func() { found <- identify(ctx, addr, b.cfg.TLS) }()
	}
	var first error
	known := 0
	for range b.cfg.Addrs {
		if err := <-found; err != nil {
			known++
			first = err
		}
	}
	if known < len(b.cfg.Addrs) {
		return nil
	}
	return first
}

// identify returns why a host cannot be used; nil when it can, or that is
// unknown.
func identify(ctx context.Context, addr string, t *tls.Config) error {
	speaks := peer.Ask(ctx, func(ctx context.Context) (net.Conn, error) { return connect(ctx, addr, nil) })
	inside := false
	if speaks == peer.TLS && t != nil {
		inside = true
		speaks = peer.Ask(ctx, func(ctx context.Context) (net.Conn, error) { return connect(ctx, addr, t) })
	}
	if speaks == peer.Silent || inside && speaks == peer.TLS || speaks == peer.Redis && inside == (t != nil) {
		return nil
	}
	return misplaced(addr, speaks, inside)
}

// misplaced says what to do about a port that speaks something else, inside TLS
// or without.
func misplaced(addr string, speaks peer.Protocol, inside bool) error {
	if isSocket(addr) {
		return &streamer.Error{Kind: streamer.ErrInvalid, Err: fmt.Errorf("the socket %s speaks %s: want the path that a Redis server's unixsocket= says", addr, speaks)}
	}
	hint, how := "want a Redis server's port, 6379 as a rule", ""
	switch speaks { //nolint:exhaustive // the others have the hint above
	case peer.TLS:
		hint = "want rediss://"
	case peer.Redis:
		hint, how = "want redis://, or the server's TLS port", " without TLS"
	case peer.Kafka:
		hint = "want kafka:// for this broker, or a Redis server's port"
	}
	if inside {
		how = " inside TLS"
	}
	return &streamer.Error{Kind: streamer.ErrInvalid, Err: fmt.Errorf("the port %s speaks %s%s: %s", addr, speaks, how, hint)}
}
