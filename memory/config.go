package memory

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/internal/words"
)

// MaxShards is the largest number of shards of a stream.
const MaxShards = 1 << 16

// MaxRecordBytes is the largest size of a record: key, value and headers. It is
// what a Producer buffers by default.
const MaxRecordBytes = 64 << 20

// Config says which log to open. The zero value opens the log named "" with one
// shard per stream and cursors, like memory://.
type Config struct {
	Log    string          // the log's name: same name, same log
	Shards int             // of streams that are created here; default 1, at most MaxShards
	Acks   Acks            // how groups commit; members of one group must agree
	Groups Groups          // how members of a load-balanced group share the work
	Create streamer.Create // CreateAuto: producers create
}

// Acks says what a group's progress is.
type Acks uint8

const (
	// ByCursor, "cursor", is one position per shard, as in Kafka. In a
	// load-balanced group each shard has one owner.
	ByCursor Acks = iota
	// ByMessage, "message", is a state per message, as in Redis. In a
	// load-balanced group the members share every shard: the first to ask is
	// served first.
	ByMessage
)

// Groups says what shares out the messages of a load-balanced group.
type Groups uint8

const (
	// Native, "native": the log, like a server.
	Native Groups = iota
	// Dealt, "dealt": the Streamer, as for a log without groups. The members
	// share one source; a key stays with one of them.
	Dealt
)

// options are the URI options of memory://, beside those every backend knows.
var options = []driver.URIOption[Config]{
	{Key: "shards", Doc: "shards of a stream that is created, 1 to 65536; default 1", Set: func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > MaxShards {
			return fmt.Errorf("%w number: want 1 to %d", streamer.ErrInvalid, MaxShards)
		}
		c.Shards = n
		return nil
	}},
	{Key: "acks", Doc: "how groups commit: cursor or message; default cursor", Set: func(c *Config, v string) (err error) {
		c.Acks, err = words.Parse[Acks](v, streamer.ErrInvalid, 0, "cursor", "message")
		return err
	}},
	{Key: "groups", Doc: "who shares out a load-balanced group's messages: native or dealt; default native", Set: func(c *Config, v string) (err error) {
		c.Groups, err = words.Parse[Groups](v, streamer.ErrInvalid, 0, "native", "dealt")
		return err
	}},
	{Key: "create", Doc: "a stream that does not exist: auto, always, never or new; default auto", Set: func(c *Config, v string) (err error) {
		c.Create, err = streamer.ParseCreate(v)
		return err
	}},
}

// parse reads a URI: the log's name is its host.
func parse(u *streamer.URI) (Config, error) {
	var c Config
	if err := driver.Bind(u, &c, options); err != nil {
		return c, err
	}
	if u.User != nil {
		return c, invalid(errors.New("memory:// has no users: leave the user out"))
	}
	if len(u.Hosts) > 1 {
		return c, invalid(errors.New("memory:// takes one host, the name of the log"))
	}
	if len(u.Hosts) == 1 {
		c.Log = u.Hosts[0]
	}
	return c, nil
}

// complete checks c and applies the defaults.
func (c *Config) complete() error {
	switch {
	case c.Shards < 0 || c.Shards > MaxShards:
		return invalid(fmt.Errorf("Config.Shards is %d: want 1 to %d, or 0 for 1", c.Shards, MaxShards))
	case c.Acks > ByMessage:
		return invalid(fmt.Errorf("Config.Acks is %d: want ByCursor or ByMessage", c.Acks))
	case c.Groups > Dealt:
		return invalid(fmt.Errorf("Config.Groups is %d: want Native or Dealt", c.Groups))
	case c.Create > streamer.CreateNew:
		return invalid(fmt.Errorf("Config.Create is %v: want CreateAuto, CreateAlways, CreateNever or CreateNew", c.Create))
	}
	c.Shards = max(c.Shards, 1)
	return nil
}

func invalid(err error) error {
	return &streamer.Error{Op: "open", Backend: scheme, Kind: streamer.ErrInvalid, Err: err}
}

func (a Acks) String() string {
	if a == ByMessage {
		return "message"
	}
	return "cursor"
}
