package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gostreamer/streamer/internal/peer"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
)

// hosts are Config.Brokers, and the dialer of every client. A client asks its
// first brokers one after another, and one that hangs takes all the time there
// is. So the client is given a single address, a name that no host has, and
// connects there to the host that answers first.
type hosts struct {
	addrs   []string
	name    string // what the client is given; the one address where there is no choice
	tls     *tls.Config
	timeout time.Duration // of dialling

	mu     sync.Mutex
	latest int // the one that answered last; -1: none yet
}

// headStart is how much sooner one host is asked than the next, so that as a
// rule one is asked alone.
const headStart = 250 * time.Millisecond

// answerTimeout is how long the hosts are waited for. It is over before the
// client's own patience is, which does not know what came of each.
const answerTimeout = connectTimeout - time.Second

func newHosts(addrs []string, t *tls.Config) *hosts {
	h := &hosts{addrs: addrs, name: addrs[0], tls: t, timeout: connectTimeout, latest: -1}
	if len(addrs) > 1 {
		h.name = "one of " + strings.Join(addrs, ", ")
	}
	return h
}

func (h *hosts) opts() []kgo.Opt {
	return []kgo.Opt{kgo.SeedBrokers(h.name), kgo.Dialer(h.dial)}
}

// serves says whether cl uses h, and not what Config.Opts put in its place, and
// knows no host by its name: mechanisms other than those of this package may
// sign it.
func (h *hosts) serves(cl *kgo.Client, more []kgo.Opt) bool {
	own := reflect.ValueOf(cl.OptValue(kgo.Dialer)).Pointer() == reflect.ValueOf(h.dial).Pointer()
	if !own || len(more) == 0 || len(h.addrs) == 1 {
		return own
	}
	used, _ := cl.OptValue(kgo.SASL).([]sasl.Mechanism)
	return !slices.ContainsFunc(used, func(m sasl.Mechanism) bool { return !slices.Contains(ownMechanisms, m.Name()) })
}

// ownMechanisms are those of SASL.
var ownMechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}

// dial is the clients' dialer.
func (h *hosts) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	if len(h.addrs) > 1 && strings.Contains(addr, h.name) {
		return h.first(ctx)
	}
	return h.connect(ctx, addr)
}

// connect dials one host as the settings say.
func (h *hosts) connect(ctx context.Context, addr string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: h.timeout}
	if h.tls == nil {
		return plain.DialContext(ctx, "tcp", addr)
	}
	t := h.tls
	if t.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		t = t.Clone()
		t.ServerName = host
	}
	return (&tls.Dialer{NetDialer: plain, Config: t}).DialContext(ctx, "tcp", addr)
}

// reply is what came of asking a host.
type reply struct {
	host int
	err  error
}

// first is a connection to the host that answers first.
func (h *hosts) first(ctx context.Context) (net.Conn, error) {
	asking, cancel := context.WithTimeout(ctx, answerTimeout)
	var joined sync.WaitGroup
	defer joined.Wait()
	defer cancel()
	order, open := h.order(), 0
	replies := make(chan reply, len(order))
	next := time.NewTimer(0)
	defer next.Stop()
	var failed error
	for {
		select {
		case <-next.C:
			if len(order) == 0 {
				continue
			}
			host := order[0]
			order, open = order[1:], open+1
			joined.Go(func() { replies <- reply{host, h.ask(asking, h.addrs[host])} })
			next.Reset(headStart)
		case r := <-replies:
			if open--; r.err == nil {
				h.remember(r.host)
				return h.connect(ctx, h.addrs[r.host])
			}
			failed = also(failed, fmt.Errorf("%s: %w", h.addrs[r.host], r.err))
			if open+len(order) == 0 {
				return nil, failed
			}
			next.Reset(0)
		}
	}
}

// also is both errors, on one line.
func also(first, second error) error {
	if first == nil {
		return second
	}
	return fmt.Errorf("%w; %w", first, second)
}

// order is how the hosts are asked: the one that answered last, then the others
// as it happens, so that programs spread over them.
func (h *hosts) order() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	order := rand.Perm(len(h.addrs))
	if at := slices.Index(order, h.latest); at > 0 {
		order[0], order[at] = order[at], order[0]
	}
	return order
}

func (h *hosts) remember(host int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.latest = host
}

var errSilent = errors.New("it accepts connections and does not answer")

// ask says whether a broker answers at addr.
func (h *hosts) ask(ctx context.Context, addr string) error {
	c, err := h.connect(ctx, addr)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	defer peer.Bound(ctx, c)()
	switch speaks, err := peer.AskKafka(c); {
	case speaks == peer.Kafka:
		return nil
	case speaks != peer.Silent:
		return h.stranger(addr, speaks, h.tls != nil)
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", errSilent, ctx.Err())
	default:
		return err
	}
}
