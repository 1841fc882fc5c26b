package redis

import (
	"fmt"
	"strconv"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// settings are what a URI says: a Config, and names of files that it is
// completed from.
type settings struct {
	Config
	passwordFile, ca, cert, key, serverName string
}

// options are the URI options of redis:// and rediss://, beside those every
// backend knows.
var options = []driver.URIOption[settings]{
	text("username", "the ACL user; also the URI's user", func(s *settings) *string { return &s.Username }),
	text("password_file", "a file with the password in its first line", func(s *settings) *string { return &s.passwordFile }),
	text("sentinel", "the master's name; the hosts are sentinels then", func(s *settings) *string { return &s.Sentinel }),
	text("tls_ca", "a PEM file with the authorities to trust instead of the system's", func(s *settings) *string { return &s.ca }),
	text("tls_cert", "a PEM file with the client's certificate, for tls_key", func(s *settings) *string { return &s.cert }),
	text("tls_key", "a PEM file with the key of tls_cert", func(s *settings) *string { return &s.key }),
	text("tls_server_name", "the name in the server's certificate, where it is not the host's", func(s *settings) *string { return &s.serverName }),
	span("claim_idle", "how long a member is silent before others take what it holds; default 60s", func(s *settings) *time.Duration { return &s.ClaimIdle }),
	span("claim_interval", "how often a member looks for such messages; default 5s", func(s *settings) *time.Duration { return &s.ClaimInterval }),
	span("block", "how long one read waits at the server; default 5s", func(s *settings) *time.Duration { return &s.Block }),
	span("maxage", "producers trim what is older than about this; default never", func(s *settings) *time.Duration { return &s.MaxAge }),
	{Key: "maxlen", Doc: "producers trim each shard to about this many entries; default never", Set: func(s *settings, v string) (err error) {
		s.MaxLen, err = strconv.ParseInt(v, 10, 64)
		if err != nil || s.MaxLen < 1 {
			return fmt.Errorf("%w number: want 1 or more", streamer.ErrInvalid)
		}
		return nil
	}},
	{Key: "db", Doc: "the database's number; default 0", Set: func(s *settings, v string) (err error) {
		s.DB, err = strconv.Atoi(v)
		if err != nil || s.DB < 0 {
			return fmt.Errorf("%w number: want 0 or more", streamer.ErrInvalid)
		}
		return nil
	}},
	{Key: "shards", Doc: "keys per stream: a number writes name:0 and so on by key, auto finds them, none is one key; default none", Set: func(s *settings, v string) (err error) {
		s.Shards, err = parseShards(v)
		return err
	}},
	{Key: "time", Doc: "id: a record's Time becomes its entry's id; default the server's clock", Set: func(s *settings, v string) error {
		if v != "id" {
			return fmt.Errorf("%w word: want id", streamer.ErrInvalid)
		}
		s.SenderTime = true
		return nil
	}},
	{Key: "create", Doc: "a stream that does not exist: auto, always, never or new; default auto", Set: func(s *settings, v string) (err error) {
		s.Create, err = streamer.ParseCreate(v)
		return err
	}},
}

func parseShards(v string) (int, error) {
	switch v {
	case "auto":
		return ShardsAuto, nil
	case "none":
		return ShardsNone, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > MaxShards {
		return 0, fmt.Errorf("%w number: want auto, none, or 1 to %d", streamer.ErrInvalid, MaxShards)
	}
	return n, nil
}

// text is an option that is any text but the empty one.
func text(key, doc string, field func(*settings) *string) driver.URIOption[settings] {
	return driver.URIOption[settings]{Key: key, Doc: doc, Set: func(s *settings, v string) error {
		if v == "" {
			return fmt.Errorf("%w value: it is empty", streamer.ErrInvalid)
		}
		*field(s) = v
		return nil
	}}
}

// span is an option that is a duration of some length.
func span(key, doc string, field func(*settings) *time.Duration) driver.URIOption[settings] {
	return driver.URIOption[settings]{Key: key, Doc: doc, Set: func(s *settings, v string) error {
		d, err := driver.ParseDuration(v)
		if err == nil && d < leastInterval {
			err = fmt.Errorf("%w duration: want at least %v", streamer.ErrInvalid, leastInterval)
		}
		if err == nil {
			*field(s) = d
		}
		return err
	}}
}
