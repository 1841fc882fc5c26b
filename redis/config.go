package redis

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/redis/go-redis/v9"
)

const (
	// MaxRecordBytes is the largest size of a record: key, value and headers.
	// The server's own limit, proto-max-bulk-len, may be lower. Larger entries
	// of other clients are read.
	MaxRecordBytes = 64 << 20
	// MaxShards is the largest Config.Shards.
	MaxShards = 1 << 14

	defaultClaimIdle     = time.Minute
	defaultClaimInterval = 5 * time.Second
	defaultBlock         = 5 * time.Second
	leastInterval        = 10 * time.Millisecond
	mostInterval         = 365 * 24 * time.Hour // multiples of it are far from overflow
)

// What Config.Shards may be beside a number of shards.
const (
	// ShardsAuto, "auto", finds a stream's shards on the server, including
	// later ones.
	ShardsAuto = -1
	// ShardsNone, "none", is one key per stream, even if keys exist that look
	// like its shards.
	ShardsNone = -2
)

// PlainShard is the shard of the key without a number, which ShardsAuto finds
// in addition to numbered keys or instead of them.
const PlainShard = streamer.PlainShard

// Config says how to connect, in code: everything that a redis:// URI can say.
// The zero value is the server at localhost:6379.
type Config struct {
	// Addrs are host:port. Several are nodes of one cluster or, with Sentinel,
	// the sentinels. A single address of a cluster's node stands for the
	// cluster. An address that starts with '/' is the path of a unix socket and
	// must be the only one.
	Addrs []string
	// Sentinel is the master's name at the sentinels; "" means that there are
	// none.
	Sentinel string
	DB       int
	Username string          // of the server; "" means none
	Password streamer.Secret // of the server; "" means none
	TLS      *tls.Config     // nil: plain text

	// Client is used instead of a client of this package, and is never closed
	// by it: a *redis.Client or, for a cluster, a *redis.ClusterClient. It
	// excludes the fields above (ErrInvalid). Blocking reads use further
	// connections, made with its options, which its hooks do not see.
	Client redis.UniversalClient

	Create        streamer.Create // CreateAuto: producers create
	Shards        int             // a number, ShardsAuto or ShardsNone; 0: one key per stream
	ClaimIdle     time.Duration   // how long a load-balanced member is silent before others take what it holds; default 60 s
	ClaimInterval time.Duration   // how often a member looks for such messages; default 5 s
	Block         time.Duration   // how long one read waits at the server; default 5 s
	MaxLen        int64           // producers trim each shard to about this many entries; 0: never
	MaxAge        time.Duration   // producers trim what is older than about this; 0: never
	SenderTime    bool            // a record's Time becomes its entry's id, where the sender sets one
}

// complete checks c and applies the defaults.
func (c *Config) complete() error {
	if err := c.checkServer(); err != nil {
		return invalid(err)
	}
	switch {
	case c.Create > streamer.CreateNew:
		return invalid(fmt.Errorf("Config.Create is %v: want CreateAuto, CreateAlways, CreateNever or CreateNew", c.Create))
	case c.Shards < ShardsNone || c.Shards > MaxShards:
		return invalid(fmt.Errorf("Config.Shards is %d: want 1 to %d, ShardsAuto or ShardsNone, or 0 for one key", c.Shards, MaxShards))
	case c.MaxLen < 0 || c.MaxAge < 0:
		return invalid(errors.New("Config.MaxLen and Config.MaxAge are not negative"))
	}
	for _, d := range []struct {
		name string
		v    *time.Duration
		def  time.Duration
	}{
		{"Config.ClaimIdle", &c.ClaimIdle, defaultClaimIdle},
		{"Config.ClaimInterval", &c.ClaimInterval, defaultClaimInterval},
		{"Config.Block", &c.Block, defaultBlock},
	} {
		if *d.v == 0 {
			*d.v = d.def
		}
		if *d.v < leastInterval || *d.v > mostInterval {
			return invalid(fmt.Errorf("%s is %v: want %v to %v", d.name, *d.v, leastInterval, mostInterval))
		}
	}
	return nil
}

// checkServer checks what says where the server is, and fills in the ports.
func (c *Config) checkServer() error {
	if c.Client != nil {
		return c.checkClient()
	}
	port := "6379"
	if c.Sentinel != "" {
		port = "26379"
	}
	if len(c.Addrs) == 0 {
		c.Addrs = []string{"localhost"}
	}
	addrs := make([]string, len(c.Addrs))
	for i, a := range c.Addrs {
		addrs[i] = withPort(a, port)
	}
	c.Addrs = addrs
	switch {
	case slices.ContainsFunc(c.Addrs, isSocket) && (len(c.Addrs) > 1 || c.Sentinel != ""):
		return errors.New("Config.Addrs: a unix socket leads to one server, without others and without sentinels")
	case c.DB < 0:
		return fmt.Errorf("Config.DB is %d: want 0 or more", c.DB)
	case c.DB > 0 && c.isCluster():
		return errors.New("Config.DB: a cluster has database 0 alone")
	}
	return nil
}

func (c *Config) checkClient() error {
	switch c.Client.(type) {
	case *redis.Client, *redis.ClusterClient:
	default:
		return fmt.Errorf("Config.Client is a %T: want *redis.Client or *redis.ClusterClient", c.Client)
	}
	if len(c.Addrs) > 0 || c.Sentinel != "" || c.DB != 0 || c.Username != "" || c.Password != "" || c.TLS != nil {
		return errors.New("Config.Client stands beside fields that say where the server is: want one of them")
	}
	return nil
}

// isCluster says that Addrs are nodes of one.
func (c *Config) isCluster() bool { return c.Sentinel == "" && len(c.Addrs) > 1 }

func withPort(addr, port string) string {
	if isSocket(addr) {
		return addr
	}
	end := strings.LastIndexByte(addr, ']') // of an IPv6 address
	i := strings.IndexByte(addr[end+1:], ':')
	switch {
	case i < 0:
		return addr + ":" + port
	case end+1+i == len(addr)-1:
		return addr + port
	}
	return addr
}

func invalid(err error) error {
	return &streamer.Error{Op: "open", Backend: scheme, Kind: streamer.ErrInvalid, Err: err}
}
