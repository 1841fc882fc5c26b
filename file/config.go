package file

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

const (
	// MaxRecordBytes is the most that key, value and headers of one record may
	// have together. Larger messages that others wrote are read.
	MaxRecordBytes = 64 << 20
	// MaxShards is the most shards that Config.Shards can spread a stream over.
	// Record.Shard may name any.
	MaxShards = 1 << 16

	defaultBeacon = 1 << 20
	defaultLimit  = 16 << 30
	defaultShare  = 64 << 20
	beaconUnit    = 1 << 10 // SeaStreamer takes multiples of it alone
)

// SyncAlways as Config.Sync makes a receipt wait until its record is on the
// disk.
const SyncAlways time.Duration = -1

// Config opens a log from code: all that a file:// URI can say. Only Path is
// required.
type Config struct {
	Path     string          // of the log, which ends in .ss unless it is a directory; relative ones are relative to the working directory
	Create   streamer.Create // CreateAuto: producers create the log
	NoFollow bool            // follow=false: consumers get io.EOF where the log ends when they come there, instead of waiting for more
	EOS      bool            // the last producer of the process to close ends the log with SeaStreamer's end of stream
	Beacon   int64           // distance of beacons in a log that is created, a multiple of 1 KiB; default 1 MiB
	Limit    int64           // the size that the log must not exceed; default 16 GiB, of a directory none
	Sync     time.Duration   // 0: the system writes to the disk when it likes; SyncAlways; or at this interval. Positions of groups follow it
	Shards   int             // over which records with a key are spread, and those without; default 1

	// A log in a directory, which Path then names, is a series of segments,
	// each of them an .ss file. It is one when Segment is set or when the
	// directory has segments. Old segments are dropped, as a whole, for any of
	// the reasons that are set, when a producer writes: never the one that is
	// written.
	Segment     int64         // the size from which on another is begun; default 64 MiB
	SegmentAge  time.Duration // the age from which on another is begun; 0: any
	RetainBytes int64         // drop the oldest while all together are larger; 0: keep
	RetainAge   time.Duration // drop those to which nothing was written for so long; 0: keep
	// RetainCommitted drops those of which every group has done everything. A
	// shard of a stream that a group reads, and for which it has no position
	// yet, is not done. While there is no group: keep.
	RetainCommitted bool
}

// options are the URI options of file://, beside those every backend knows.
var options = []driver.URIOption[Config]{
	{Key: "follow", Doc: "true: wait for more at the end of the log; false: end there with io.EOF; default true", Set: func(c *Config, v string) error {
		follow, err := parseBool(v)
		c.NoFollow = !follow
		return err
	}},
	{Key: "eos", Doc: "true: the last producer of a process to close ends the log with an end of stream; default false", Set: func(c *Config, v string) (err error) {
		c.EOS, err = parseBool(v)
		return err
	}},
	{Key: "beacon", Doc: "distance of beacons in a log that is created, a multiple of 1KiB; default 1MiB", Set: func(c *Config, v string) (err error) {
		if c.Beacon, err = driver.ParseSize(v); err == nil {
			err = checkBeacon(c.Beacon)
		}
		return err
	}},
	{Key: "limit", Doc: "the size that the log must not exceed; default 16GiB", Set: func(c *Config, v string) (err error) {
		if c.Limit, err = driver.ParseSize(v); err == nil && c.Limit == 0 {
			err = fmt.Errorf("%w size: a log has at least %d bytes", streamer.ErrInvalid, ss.HeaderSize)
		}
		return err
	}},
	{Key: "sync", Doc: "when what is stored is on the disk: none (when the system likes), always (before its receipt), or an interval; default none", Set: func(c *Config, v string) (err error) {
		c.Sync, err = parseSync(v)
		return err
	}},
	{Key: "shards", Doc: "over which a producer spreads records, by key, 1 to 65536; default 1", Set: func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > MaxShards {
			return fmt.Errorf("%w number: want 1 to %d", streamer.ErrInvalid, MaxShards)
		}
		c.Shards = n
		return nil
	}},
	{Key: "create", Doc: "a log that does not exist: auto, always, never or new; default auto", Set: func(c *Config, v string) (err error) {
		c.Create, err = streamer.ParseCreate(v)
		return err
	}},
	{Key: "segment", Doc: "the log is a directory of segments: the size from which on another is begun; default 64MiB", Set: func(c *Config, v string) (err error) {
		if c.Segment, err = driver.ParseSize(v); err == nil && c.Segment == 0 {
			err = fmt.Errorf("%w size: want 1 byte at least", streamer.ErrInvalid)
		}
		return err
	}},
	{Key: "segment_age", Doc: "of a directory: the age from which on another segment is begun", Set: func(c *Config, v string) (err error) {
		c.SegmentAge, err = parseAge(v)
		return err
	}},
	{Key: "retain_bytes", Doc: "of a directory: drop the oldest segments while all together are larger", Set: func(c *Config, v string) (err error) {
		if c.RetainBytes, err = driver.ParseSize(v); err == nil && c.RetainBytes == 0 {
			err = fmt.Errorf("%w size: want 1 byte at least", streamer.ErrInvalid)
		}
		return err
	}},
	{Key: "retain_age", Doc: "of a directory: drop segments to which nothing was written for so long", Set: func(c *Config, v string) (err error) {
		c.RetainAge, err = parseAge(v)
		return err
	}},
	{Key: "retain", Doc: "of a directory: committed drops segments of which every group has done everything", Set: func(c *Config, v string) error {
		if c.RetainCommitted = v == "committed"; !c.RetainCommitted {
			return fmt.Errorf("%w word: want committed", streamer.ErrInvalid)
		}
		return nil
	}},
}

func parseAge(s string) (time.Duration, error) {
	d, err := driver.ParseDuration(s)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%w duration: want more than 0", streamer.ErrInvalid)
	}
	return d, err
}

// parseBool takes the bare name of an option for true.
func parseBool(s string) (bool, error) {
	switch s {
	case "", "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%w word: want true or false", streamer.ErrInvalid)
}

func parseSync(s string) (time.Duration, error) {
	switch s {
	case "none":
		return 0, nil
	case "always":
		return SyncAlways, nil
	}
	d, err := driver.ParseDuration(s)
	if err != nil || d == 0 {
		return 0, fmt.Errorf("%w interval: want none, always, or a duration such as 200ms", streamer.ErrInvalid)
	}
	return d, nil
}

func checkBeacon(n int64) error {
	if n <= 0 || n%beaconUnit != 0 || n > math.MaxUint32 {
		return fmt.Errorf("%w size: want a multiple of 1KiB below 4GiB", streamer.ErrInvalid)
	}
	return nil
}

// complete checks c and applies the defaults.
func (c *Config) complete() error {
	if c.Path == "" {
		return invalid(errors.New("Config.Path is empty: want the path of an .ss file"))
	}
	if c.Beacon == 0 {
		c.Beacon = defaultBeacon
	}
	if c.Limit == 0 {
		c.Limit = defaultLimit
		if c.Segment > 0 || logfile.IsSegmented(c.Path) {
			c.Limit = never
		}
	}
	if err := checkBeacon(c.Beacon); err != nil {
		return invalid(fmt.Errorf("Config.Beacon: %w", err))
	}
	switch {
	case !isLog(c.Path) && c.Segment == 0 && !logfile.IsSegmented(c.Path):
		return invalid(fmt.Errorf("Config.Path %q does not end in .ss, and is no directory with segments: Config.Segment makes one", c.Path))
	case c.Segment < 0 || c.SegmentAge < 0 || c.RetainBytes < 0 || c.RetainAge < 0:
		return invalid(errors.New("Config.Segment, SegmentAge, RetainBytes and RetainAge must not be negative"))
	case c.Limit < ss.HeaderSize:
		return invalid(fmt.Errorf("Config.Limit is %d: a log has at least %d bytes", c.Limit, ss.HeaderSize))
	case c.Sync < SyncAlways:
		return invalid(fmt.Errorf("Config.Sync is %d: want 0, SyncAlways or an interval", c.Sync))
	case c.Shards < 0 || c.Shards > MaxShards:
		return invalid(fmt.Errorf("Config.Shards is %d: want 1 to %d, or 0 for 1", c.Shards, MaxShards))
	case c.Create > streamer.CreateNew:
		return invalid(fmt.Errorf("Config.Create is %v: want CreateAuto, CreateAlways, CreateNever or CreateNew", c.Create))
	}
	c.Shards = max(c.Shards, 1)
	return nil
}

func invalid(err error) error {
	return &streamer.Error{Op: "open", Backend: scheme, Kind: streamer.ErrInvalid, Err: err}
}
