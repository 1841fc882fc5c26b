package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/peer"
	"github.com/twmb/franz-go/pkg/kerr"
)

// suspicious is how long a broker may take to answer before its port is asked
// what it speaks.
const suspicious = time.Second

// strangers returns why no host answers as the settings say; nil when one may,
// or that is unknown. The hosts are asked concurrently.
func (h *hosts) strangers(ctx context.Context) error {
	var all error
	found := make([]error, len(h.addrs))
	done := make(chan struct{}, len(h.addrs))
	for i, addr := range h.addrs {
		go func() {
			found[i] = h.identify(ctx, addr)
			done <- struct{}{}
		}()
	}
	for range h.addrs {
		<-done
	}
	for _, err := range found {
		if err == nil {
			return nil
		}
		all = also(all, err)
	}
	return all
}

// identify returns why a host cannot be used; nil when it can, or that is
// unknown.
func (h *hosts) identify(ctx context.Context, addr string) error {
	plain := func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", addr) }
	if c, err := plain(ctx); err == nil {
		_ = c.Close()
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	speaks := peer.Ask(ctx, plain)
	inside := false
	if speaks == peer.TLS && h.tls != nil {
		inside = true
		speaks = peer.Ask(ctx, func(ctx context.Context) (net.Conn, error) { return h.connect(ctx, addr) })
	}
	if speaks == peer.Silent || inside && speaks == peer.TLS || speaks == peer.Kafka && inside == (h.tls != nil) {
		return nil
	}
	return h.stranger(addr, speaks, inside)
}

// stranger says what to do about a port that speaks something else, inside TLS
// or without.
func (h *hosts) stranger(addr string, speaks peer.Protocol, inside bool) error {
	hint := "want a broker's port, 9092 as a rule"
	switch {
	case speaks == peer.TLS:
		hint = "want tls=true"
	case speaks == peer.Kafka:
		hint = "leave tls= and tls_ca= out, or use the broker's TLS port"
	case speaks == peer.Redis && inside:
		hint = "want rediss:// for this server, or a broker's port"
	case speaks == peer.Redis:
		hint = "want redis:// for this server, or a broker's port"
	}
	how := ""
	if speaks == peer.Kafka {
		how = " without TLS"
	} else if inside {
		how = " inside TLS"
	}
	return &streamer.Error{Kind: streamer.ErrInvalid, Err: fmt.Errorf("the port %s speaks %s%s: %s", addr, speaks, how, hint)}
}

// doubtful says that what speaks at the port may be the reason of err.
func doubtful(err error) bool {
	if _, ok := errors.AsType[*kerr.Error](err); ok {
		return false
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return false
	}
	alert, ok := errors.AsType[*net.OpError](err)
	return !errors.Is(err, syscall.ECONNREFUSED) && (!ok || alert.Op != tlsAlert)
}
