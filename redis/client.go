package redis

import (
	"context"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	dialTimeout  = 5 * time.Second
	replyTimeout = 5 * time.Second // how long nothing may come of a reply to a command that does not block
	poolTimeout  = 6 * time.Second
	bufferSize   = 64 << 10

	// A master that died is noticed by dialling it, which makes the client look
	// at the cluster only this often.
	clusterReload = 2 * time.Second
)

// newClient makes the client of all commands that do not block. It never sends
// a command twice by itself: what has to be sent again is decided where it is
// known whether that is harmless.
func newClient(c *Config) redis.UniversalClient {
	switch {
	case c.Client != nil:
		return c.Client
	case c.isCluster():
		return redis.NewClusterClient(c.clusterOptions())
	case c.Sentinel != "":
		return redis.NewFailoverClient(c.failoverOptions())
	}
	return redis.NewClient(c.clientOptions())
}

func quiet() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// dialer connects as go-redis does, at a pace.
func (c *Config) dialer() func(context.Context, string, string) (net.Conn, error) {
	return pacedDialer(redis.NewDialer(&redis.Options{DialTimeout: dialTimeout, TLSConfig: c.TLS}))
}

func (c *Config) clientOptions() *redis.Options {
	return &redis.Options{
		Addr: c.Addrs[0], DB: c.DB, Username: c.Username, Password: string(c.Password), TLSConfig: c.TLS,
		Protocol: 2, DisableIdentity: true, MaintNotificationsConfig: quiet(),
		MaxRetries: -1, DialerRetries: 1, DialTimeout: dialTimeout, ReadTimeout: -1, WriteTimeout: -1,
		PoolTimeout: poolTimeout, Dialer: c.dialer(),
		ContextTimeoutEnabled: true, ReadBufferSize: bufferSize, WriteBufferSize: bufferSize,
	}
}

func (c *Config) clusterOptions() *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs: c.Addrs, Username: c.Username, Password: string(c.Password), TLSConfig: c.TLS,
		Protocol: 2, DisableIdentity: true, MaintNotificationsConfig: quiet(),
		MaxRetries: -1, DialerRetries: 1, DialTimeout: dialTimeout, ReadTimeout: -1, WriteTimeout: -1,
		PoolTimeout: poolTimeout, Dialer: c.dialer(),
		ContextTimeoutEnabled: true, ReadBufferSize: bufferSize, WriteBufferSize: bufferSize,
		ClusterStateReloadInterval: clusterReload, NewClient: new(hosts).node,
	}
}

func (c *Config) failoverOptions() *redis.FailoverOptions {
	return &redis.FailoverOptions{
		MasterName: c.Sentinel, SentinelAddrs: c.Addrs, DB: c.DB, Username: c.Username, Password: string(c.Password), TLSConfig: c.TLS,
		Protocol: 2, DisableIdentity: true,
		MaxRetries: -1, DialerRetries: 1, DialTimeout: dialTimeout, ReadTimeout: -1, WriteTimeout: -1,
		PoolTimeout: poolTimeout, Dialer: pacedDialer(new(hosts).sentinelDialer(c.Addrs, c.TLS)),
		ContextTimeoutEnabled: true, ReadBufferSize: bufferSize, WriteBufferSize: bufferSize,
	}
}
