package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Config says how to connect, in code: everything that a kafka:// URI can say,
// and OAuth, TLS and Opts in addition. Only Brokers is required.
type Config struct {
	Brokers  []string // host or host:port, 9092 where none is given; one that answers is enough, the others are found
	ClientID string   // what the broker's logs and quotas call this program; default "streamer"

	TLS               *tls.Config // not nil: TLS, with these settings; CAFile, CertFile and KeyFile add to them
	CAFile            string      // PEM certificates to trust instead of the system's; turns TLS on
	CertFile, KeyFile string      // PEM certificate and key to show to the broker; turn TLS on

	SASL         SASL            // default: Plain when there is a Username or OAuth when there is an OAuth, else none
	Username     string          //
	Password     streamer.Secret // or
	PasswordFile string          // its name: read at every authentication, so that a changed password is found; the token's with SASLOAuth
	OAuth        OAuth           // gives the token for SASLOAuth

	Compression    Compression   // of what producers send; default Snappy
	Acks           Acks          // what a receipt waits for; default AllReplicas
	Isolation      Isolation     // what consumers see of transactions; default Committed
	InstanceID     string        // static membership in LoadBalanced: a member that comes back within SessionTimeout keeps its shards
	Rack           string        // where this program runs: consumers read from replicas there, where the brokers are set up for it
	SessionTimeout time.Duration // a member of a group that is not heard of for so long has lost its shards; default 45 s
	Balancers      []Balancer    // how a group's members share the shards, in order of preference; default CooperativeSticky

	Create   streamer.Create // CreateAuto: neither producers nor consumers create streams
	Shards   int             // of streams that are created; default the broker's num.partitions
	Replicas int             // of streams that are created; default the broker's default.replication.factor

	// Opts are added to the options of every client: for consuming, for
	// producing and for the rest. They may replace options of this package,
	// which can break its promises.
	Opts []kgo.Opt
}

// Compression is how batches are compressed.
type Compression uint8

// The codecs. Consumers read all of them.
const (
	Snappy Compression = iota
	Uncompressed
	Gzip
	LZ4
	Zstd
)

// Acks says what a receipt waits for.
type Acks uint8

const (
	// AllReplicas waits until as many replicas as min.insync.replicas requires
	// have the record. A retried send stores it once.
	AllReplicas Acks = iota
	// LeaderOnly waits for one broker. A record that it has not replicated is
	// lost with it, and a retried send may store it twice.
	LeaderOnly
	// NoAcks waits only until the record is sent. Receipts have no SeqNo, and
	// losses go unnoticed.
	NoAcks
)

// Isolation says which records of transactions consumers see.
type Isolation uint8

const (
	Committed   Isolation = iota // what was committed, and what is outside of transactions
	Uncommitted                  // everything at once, what is rolled back later too
)

// Balancer is how the members of a group share its shards. Members must have
// one in common.
type Balancer uint8

const (
	CooperativeSticky Balancer = iota // moves as few shards as it can, the others continue meanwhile
	Sticky                            // moves few shards, all stops meanwhile
	Range                             // neighbouring shards to one member: Java's first choice of old, and Sarama's
	RoundRobin
)

const (
	defaultPort     = "9092"
	defaultClientID = "streamer"

	// DefaultSessionTimeout is Java's.
	defaultSessionTimeout = 45 * time.Second
	// mostSession is what the protocol's 32 bits of milliseconds can say.
	mostSession = math.MaxInt32 * time.Millisecond
)

// complete checks c and applies the defaults.
func (c *Config) complete() error {
	if len(c.Brokers) == 0 {
		return invalid(errors.New("no broker: want kafka://host:port/stream, or Config.Brokers"))
	}
	brokers := make([]string, len(c.Brokers))
	for i, b := range c.Brokers {
		brokers[i] = withPort(b)
	}
	c.Brokers = brokers
	c.completeSASL()
	if c.ClientID == "" {
		c.ClientID = defaultClientID
	}
	if c.SessionTimeout == 0 {
		c.SessionTimeout = defaultSessionTimeout
	}
	if len(c.Balancers) == 0 {
		c.Balancers = []Balancer{CooperativeSticky}
	}
	if err := c.check(); err != nil {
		return invalid(err)
	}
	return nil
}

func (c *Config) check() error {
	switch {
	case c.Compression > Zstd:
		return fmt.Errorf("Config.Compression is %d: want Snappy, Uncompressed, Gzip, LZ4 or Zstd", c.Compression)
	case c.Acks > NoAcks:
		return fmt.Errorf("Config.Acks is %d: want AllReplicas, LeaderOnly or NoAcks", c.Acks)
	case c.Isolation > Uncommitted:
		return fmt.Errorf("Config.Isolation is %d: want Committed or Uncommitted", c.Isolation)
	case c.SessionTimeout < time.Second || c.SessionTimeout > mostSession:
		return fmt.Errorf("Config.SessionTimeout is %v: want 1s to %v", c.SessionTimeout, mostSession)
	case c.Shards < 0 || c.Shards > math.MaxInt32:
		return fmt.Errorf("Config.Shards is %d: want 1 or more, or 0 for the broker's default", c.Shards)
	case c.Replicas < 0 || c.Replicas > math.MaxInt16:
		return fmt.Errorf("Config.Replicas is %d: want 1 or more, or 0 for the broker's default", c.Replicas)
	case c.Create > streamer.CreateNew:
		return fmt.Errorf("Config.Create is %v: want CreateAuto, CreateAlways, CreateNever or CreateNew", c.Create)
	}
	for _, b := range c.Balancers {
		if b > RoundRobin {
			return fmt.Errorf("Config.Balancers has %d: want CooperativeSticky, Sticky, Range or RoundRobin", b)
		}
	}
	return c.checkSASL()
}

// withPort adds Kafka's port to a host that has none.
func withPort(host string) string {
	after := host[strings.LastIndexByte(host, ']')+1:]
	if i := strings.IndexByte(after, ':'); i < 0 {
		return host + ":" + defaultPort
	}
	return host
}

func invalid(err error) error {
	return &streamer.Error{Op: "connect", Backend: scheme, Kind: streamer.ErrInvalid, Err: err}
}
