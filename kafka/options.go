package kafka

import (
	"crypto/tls"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/internal/words"
)

var (
	saslWords        = []string{"", "plain", "scram-sha-256", "scram-sha-512", "oauth"} // by SASL
	compressionWords = []string{"snappy", "none", "gzip", "lz4", "zstd"}                // by Compression
	acksWords        = []string{"all", "leader", "none"}                                // by Acks
	isolationWords   = []string{"committed", "uncommitted"}                             // by Isolation
	balancerWords    = []string{"cooperative-sticky", "sticky", "range", "roundrobin"}  // by Balancer
)

// options are the URI options of kafka://, beside those every backend knows.
var options = []driver.URIOption[Config]{
	{Key: "tls", Doc: "true: speak TLS, trusting the system's authorities; default false, true with another tls_ option", Set: setTLS},
	text("tls_ca", "file of the PEM certificates to trust instead of the system's", func(c *Config) *string { return &c.CAFile }),
	text("tls_cert", "file of the PEM certificate to show to the broker", func(c *Config) *string { return &c.CertFile }),
	text("tls_key", "file of its PEM key", func(c *Config) *string { return &c.KeyFile }),
	word("sasl", "plain, scram-sha-256, scram-sha-512 or oauth; default plain when there is a username", saslWords, func(c *Config) *SASL { return &c.SASL }),
	text("username", "the user, when it does not stand before the hosts", func(c *Config) *string { return &c.Username }),
	text("password_file", "file of the password, or of the token with sasl=oauth; read at every authentication", func(c *Config) *string { return &c.PasswordFile }),
	word("compression", "of what is sent: snappy, none, gzip, lz4 or zstd; default snappy", compressionWords, func(c *Config) *Compression { return &c.Compression }),
	word("acks", "what a receipt waits for: all replicas, leader or none; default all", acksWords, func(c *Config) *Acks { return &c.Acks }),
	word("isolation", "what is seen of transactions: committed or uncommitted; default committed", isolationWords, func(c *Config) *Isolation { return &c.Isolation }),
	text("instance_id", "static membership: a member of a group that comes back within session_timeout keeps its shards", func(c *Config) *string { return &c.InstanceID }),
	text("rack", "where this program runs, to read from replicas there", func(c *Config) *string { return &c.Rack }),
	{Key: "session_timeout", Doc: "a group's member that is not heard of for so long has lost its shards; default 45s", Set: func(c *Config, v string) (err error) {
		c.SessionTimeout, err = driver.ParseDuration(v)
		if err == nil && c.SessionTimeout == 0 {
			err = fmt.Errorf("%w duration: want 1s or more", streamer.ErrInvalid)
		}
		return err
	}},
	{Key: "balancers", Doc: "how a group shares its shards, in order of preference: cooperative-sticky, sticky, range, roundrobin; default cooperative-sticky", Set: setBalancers},
	number("shards", "of a stream that is created; default the broker's", math.MaxInt32, func(c *Config) *int { return &c.Shards }),
	number("replicas", "of a stream that is created; default the broker's", math.MaxInt16, func(c *Config) *int { return &c.Replicas }),
	text("client_id", "what the broker's logs and quotas call this program; default streamer", func(c *Config) *string { return &c.ClientID }),
	{Key: "create", Doc: "a stream that does not exist: auto (not created), always, never or new; default auto", Set: func(c *Config, v string) (err error) {
		c.Create, err = streamer.ParseCreate(v)
		return err
	}},
}

func text(key, doc string, field func(*Config) *string) driver.URIOption[Config] {
	return driver.URIOption[Config]{Key: key, Doc: doc, Set: func(c *Config, v string) error {
		if v == "" {
			return fmt.Errorf("%w value: it is empty", streamer.ErrInvalid)
		}
		*field(c) = v
		return nil
	}}
}

func word[T ~uint8](key, doc string, known []string, field func(*Config) *T) driver.URIOption[Config] {
	return driver.URIOption[Config]{Key: key, Doc: doc, Set: func(c *Config, v string) (err error) {
		*field(c), err = words.Parse[T](v, streamer.ErrInvalid, 0, known...)
		return err
	}}
}

func number(key, doc string, most int, field func(*Config) *int) driver.URIOption[Config] {
	return driver.URIOption[Config]{Key: key, Doc: doc, Set: func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > most {
			return fmt.Errorf("%w number: want 1 to %d", streamer.ErrInvalid, most)
		}
		*field(c) = n
		return nil
	}}
}

func setTLS(c *Config, v string) error {
	switch v {
	case "", "true":
		c.TLS = &tls.Config{}
	case "false":
		c.TLS = nil
	default:
		return fmt.Errorf("%w word: want true or false", streamer.ErrInvalid)
	}
	return nil
}

func setBalancers(c *Config, v string) error {
	c.Balancers = nil
	for name := range strings.SplitSeq(v, ",") {
		b, err := words.Parse[Balancer](name, streamer.ErrInvalid, 0, balancerWords...)
		if err != nil {
			return err
		}
		c.Balancers = append(c.Balancers, b)
	}
	return nil
}

// parse reads a URI: its hosts are brokers, its user the one of SASL.
func parse(u *streamer.URI) (Config, error) {
	var c Config
	if err := driver.Bind(u, &c, options); err != nil {
		return c, err
	}
	c.Brokers = u.Hosts
	if u.User != nil {
		password, _ := u.User.Password()
		c.Password = streamer.Secret(password)
		if c.Username != "" && c.Username != u.User.Username() {
			return c, invalid(fmt.Errorf("the option username and the user before the hosts differ"))
		}
		c.Username = u.User.Username()
	}
	if u.Query.Get("tls") == "false" && (c.CAFile != "" || c.CertFile != "" || c.KeyFile != "") {
		return c, invalid(fmt.Errorf("tls=false and tls_ca, tls_cert or tls_key contradict each other"))
	}
	return c, nil
}

func (s SASL) String() string        { return wordOf(s, saslWords) }
func (c Compression) String() string { return wordOf(c, compressionWords) }
func (a Acks) String() string        { return wordOf(a, acksWords) }
func (i Isolation) String() string   { return wordOf(i, isolationWords) }
func (b Balancer) String() string    { return wordOf(b, balancerWords) }

func wordOf[T ~uint8](v T, words []string) string {
	if int(v) < len(words) {
		return words[v]
	}
	return strconv.Itoa(int(v))
}
