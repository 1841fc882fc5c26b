package kafka

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// connectTimeout bounds how long Ping looks for a broker that answers.
	connectTimeout = 10 * time.Second
	// fetchWait bounds how long a broker holds a fetch that finds nothing.
	// Until then changes of what is fetched wait; Java's default.
	fetchWait = 500 * time.Millisecond
	// metadataAge is how soon a moved leader is noticed, metadataMaxAge how
	// soon a new shard or a deleted stream is.
	metadataAge    = time.Second
	metadataMaxAge = 10 * time.Second
	// answersAge is how old an answer about topics may be: the client keeps
	// answers, and the least it allows is this.
	answersAge = 10 * time.Millisecond
)

// client makes a client for one purpose. Config.Opts come last.
func (b *backend) client(opts ...kgo.Opt) (*kgo.Client, error) {
	all := make([]kgo.Opt, 0, len(b.common)+len(opts)+len(b.cfg.Opts))
	all = append(all, b.common...)
	all = append(all, opts...)
	all = append(all, b.cfg.Opts...)
	cl, err := kgo.NewClient(all...)
	if err != nil {
		return nil, invalid(err)
	}
	return cl, nil
}

// commonOpts are those of every client.
func (c *Config) commonOpts() []kgo.Opt {
	opts := []kgo.Opt{
		kgo.ClientID(c.ClientID),
		kgo.SoftwareNameAndVersion("streamer", "1"),
		kgo.MetadataMinAge(metadataAge),
		kgo.MetadataMaxAge(metadataMaxAge),
		kgo.DisableClientMetrics(),
	}
	if m := c.mechanism(); m != nil {
		opts = append(opts, kgo.SASL(m))
	}
	return opts
}

// plainOpts are those of a client that finds its brokers by itself.
func (c *Config) plainOpts(t *tls.Config) []kgo.Opt {
	opts := []kgo.Opt{kgo.SeedBrokers(c.Brokers...)}
	if t != nil {
		opts = append(opts, kgo.DialTLSConfig(t))
	}
	return opts
}

// consumeOpts are those of every client that consumes.
func (c *Config) consumeOpts() []kgo.Opt {
	level := kgo.ReadCommitted()
	if c.Isolation == Uncommitted {
		level = kgo.ReadUncommitted()
	}
	opts := []kgo.Opt{
		kgo.FetchMaxWait(fetchWait),
		kgo.FetchIsolationLevel(level),
		kgo.KeepControlRecords(), // they tell how far a shard is read where its end is no message
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
	}
	if c.Rack != "" {
		opts = append(opts, kgo.Rack(c.Rack))
	}
	return opts
}

// answerWait is how long the backend's own client waits for an answer before it
// asks another broker: one that is frozen stays among those of the cluster for
// a while.
const answerWait = 5 * time.Second

// askAgain is how long the backend's own client waits before a retry. Commits
// are among its requests; messages handed out while a commit waits are
// redelivered if their shards are lost meanwhile.
func askAgain(fails int) time.Duration {
	const first, longest = 50 * time.Millisecond, 400 * time.Millisecond
	if fails > 3 {
		return longest
	}
	return first << max(fails-1, 0)
}

// maxAge is how often metadata is looked at.
func maxAge(cl *kgo.Client) time.Duration {
	if d, ok := cl.OptValue(kgo.MetadataMaxAge).(time.Duration); ok && d > 0 {
		return d
	}
	return metadataMaxAge
}

// lost reports connections that could not be made, and that all can be made
// again: the client retries silently.
type lost struct {
	report func(err error) // nil: all of them

	mu   sync.Mutex
	away map[int32]bool // the brokers, by node id
}

var _ kgo.HookBrokerConnect = (*lost)(nil)

// OnBrokerConnect implements kgo.HookBrokerConnect.
func (l *lost) OnBrokerConnect(m kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if l.note(m.NodeID, err) {
		l.report(err)
	}
}

// note says whether a connection that was or was not made is to be reported.
func (l *lost) note(broker int32, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if l.away == nil {
			l.away = make(map[int32]bool)
		}
		l.away[broker] = true
		return true
	}
	if !l.away[broker] {
		return false
	}
	delete(l.away, broker)
	return len(l.away) == 0
}

// logger passes what the client warns of to slog, one level lower: what matters
// is reported by this package.
type logger struct{ to *slog.Logger }

// Level implements kgo.Logger.
func (l logger) Level() kgo.LogLevel {
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelNone
}

// Log implements kgo.Logger.
func (l logger) Log(_ kgo.LogLevel, msg string, keyvals ...any) {
	l.to.Debug(msg, keyvals...)
}
