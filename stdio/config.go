package stdio

import (
	"fmt"
	"io"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// Config says what to read and write. The zero value means the process's
// standard input and output in the line format.
type Config struct {
	// In is read by one goroutine, from the first consumer on. Nil, like
	// os.Stdin itself, is the process's standard input, which all Streamers
	// share. Another reader belongs to the Streamer until that is closed, which
	// does not close the reader. If In supports SetReadDeadline (pipes made by
	// os.Pipe, net.Conn), Close interrupts a blocked Read, and only the
	// Streamer may set the read deadline.
	In io.Reader

	// Out is written to in whole lines, several in one Write. Nil, like
	// os.Stdout itself, is the process's standard output, which all Streamers
	// share. Another writer belongs to the Streamer until that is closed, which
	// neither flushes nor closes the writer. If Out supports SetWriteDeadline,
	// Close interrupts a blocked Write, and only the Streamer may set the write
	// deadline.
	Out io.Writer

	Format Format
	Create streamer.Create // has no effect: a stream of a pipe is there as soon as a line names it
}

var options = []driver.URIOption[Config]{
	{Key: "format", Doc: "line: SeaStreamer's line grammar; json: NDJSON that carries everything (default line)", Set: func(c *Config, value string) (err error) {
		c.Format, err = ParseFormat(value)
		return err
	}},
	{Key: "create", Doc: "auto, always, never or new: no effect, a stream of a pipe is there as soon as a line names it", Set: func(c *Config, value string) (err error) {
		c.Create, err = streamer.ParseCreate(value)
		return err
	}},
}

// checkURI refuses what a URI of this scheme has no use for.
func checkURI(u *streamer.URI) error {
	switch {
	case len(u.Hosts) > 0:
		return fmt.Errorf("%w: standard input has no host: for the stream %q write %s:///%[2]s", streamer.ErrInvalid, u.Hosts[0], u.Scheme)
	case u.User != nil:
		return fmt.Errorf("%w: standard input has no user", streamer.ErrInvalid)
	}
	return nil
}
