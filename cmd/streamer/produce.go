package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/internal/nonblock"
)

type produceCmd struct {
	URI     string   `arg:"" name:"uri" help:"The stream, such as file:///data/log.ss/orders."`
	Input   string   `short:"i" enum:"text,json" default:"text" help:"text: a line is a value. json: a line is a JSON object, as consume -o json prints it."`
	Output  string   `short:"o" enum:"text,json" default:"text" help:"The same as --input, so that the option is the same for consume and produce."`
	Key     *string  `short:"k" help:"The key of messages that have none."`
	Header  []string `short:"H" sep:"none" placeholder:"NAME=VALUE" help:"A header to add to every message; may be repeated."`
	Shard   *string  `placeholder:"N" help:"Send every message to this shard."`
	Keep    bool     `name:"keep-shards" help:"Send every message to the shard that its line of JSON names. Without it the key decides, as for other records."`
	MaxLine string   `default:"64MiB" placeholder:"SIZE" help:"The longest line (64MiB). A longer one fails by itself."`
	uriFlags

	Options kong.Plugins `embed:""`
	flags   *optionFlags
}

func (c *produceCmd) init() {
	c.flags = newProducerFlags()
	c.Options = c.flags.plugins()
}

// Help is printed below the one line that the list of commands shows.
func (c *produceCmd) Help() string {
	return "Every line is a message, including an empty one, without its newline. Of a JSON line the sequence number is ignored, " +
		"the shard too unless --keep-shards is given, and the time if the target sets its own; that is reported once. " +
		"A record that cannot be stored for a reason of its own (too large, not JSON, an attribute that the backend does not keep) is reported and the others are sent; " +
		"the exit code is then that of the first failure. Any other failure ends the command."
}

func (c *produceCmd) Run(ctx context.Context, e *env) error {
	ctx, stop := e.watchTarget(ctx, c.URI)
	defer stop()
	records, err := c.recorder()
	if err != nil {
		return err
	}
	max, err := c.maxLine()
	if err != nil {
		return err
	}
	var given streamer.StreamerOptions
	if err := c.flags.apply(&given); err != nil {
		return err
	}
	s, err := e.connect(ctx, c.in(c.URI))
	if err != nil {
		return e.finish(ctx, err)
	}
	to, err := s.Producer(ctx, given.Producer)
	if err != nil {
		return e.finish(ctx, err, s)
	}
	d := &delivery{env: e, to: to, records: records, stdout: isStdio(c.URI)}
	err = d.run(ctx, newLineReader(nonblock.Reader(e.in), max))
	err = e.finish(ctx, d.finish(causeOf(ctx, err)), s)
	e.conclude("produce", err, d.summary(), true)
	return err
}

// recorder turns lines into records as the flags say.
func (c *produceCmd) recorder() (*recorder, error) {
	stream, err := oneStream(c.URI)
	if err != nil {
		return nil, err
	}
	r := &recorder{json: c.Input == "json" || c.Output == "json", named: stream != "", keeps: c.Keep}
	if c.Key != nil {
		r.key = []byte(*c.Key)
	}
	if c.Shard != nil {
		shard, err := streamer.ParseShardID(*c.Shard)
		if err != nil {
			return nil, usageError{fmt.Errorf("--shard: %w", err)}
		}
		r.shard = &shard
	}
	for _, h := range c.Header {
		name, value, ok := strings.Cut(h, "=")
		if !ok || name == "" {
			return nil, usageError{fmt.Errorf("--header=%q: want NAME=VALUE", h)}
		}
		r.headers = append(r.headers, streamer.Header{Key: name, Value: []byte(value)})
	}
	return r, nil
}

// maxLine is --max-line, which also bounds what a line that never ends can make
// the program use.
func (c *produceCmd) maxLine() (int, error) {
	n, err := driver.ParseSize(c.MaxLine)
	if err == nil && (n < 1 || n > math.MaxInt32) {
		err = errors.New("want 1 byte to 2 GiB")
	}
	if err != nil {
		return 0, usageError{fmt.Errorf("--max-line=%s: %w", c.MaxLine, err)}
	}
	return int(n), nil
}

// inputSize is how much there is to read, 0 where that is not known.
func inputSize(r io.Reader) int64 {
	f, ok := r.(*os.File)
	if !ok {
		return 0
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return info.Size() - at
}
