package file

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/gostreamer/streamer"
)

// cursor is a group's position in one shard, as its file holds it.
type cursor struct {
	group string
	streamer.StreamShard

	log    uint64 // when the log was created: a log recreated is another
	begun  bool   // some message is done
	done   uint64 // the last of them; what is before it is done too
	frame  int64  // where its frame starts in the log; 0 is not known
	resume int64  // the shard has nothing before this offset that is not done; 0 is not known
	seen   int64  // no shard of the stream that has no cursor has anything before this offset to deliver; 0 is not known
	print  print  // what the log starts with, so that offsets are not used in another
}

// print is the checksum of the first bytes of a log, which never change as long
// as it is the same.
type print struct {
	size int64
	sum  uint32
}

// printSize is how many bytes are enough.
const printSize = 4096

// printOf is the print of a log that has at least size bytes.
func printOf(log io.ReaderAt, size int64) (print, error) {
	b := make([]byte, min(size, printSize))
	n, err := log.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return print{}, err
	}
	return print{int64(n), crc32.ChecksumIEEE(b[:n])}, nil
}

const (
	cursorMagic = "streamer position 1"
	maxCursor   = 64 << 10 // no cursor is longer
)

// append writes the file: lines of a word and a value, and a checksum of the
// lines before it.
func (c *cursor) append(b []byte) []byte {
	start := len(b)
	done := "none"
	if c.begun {
		done = strconv.FormatUint(c.done, 10)
	}
	b = fmt.Appendf(b, "%s\ngroup %q\nstream %q\nshard %d\nlog %d\ndone %s\nframe %d\nresume %d\nseen %d\nprint %d %08x\n",
		cursorMagic, c.group, c.Stream, c.Shard, c.log, done, c.frame, c.resume, c.seen, c.print.size, c.print.sum)
	return fmt.Appendf(b, "sum %08x\n", crc32.ChecksumIEEE(b[start:]))
}

// parseCursor reads a file.
func parseCursor(b []byte) (*cursor, error) {
	if len(b) > maxCursor {
		return nil, fmt.Errorf("longer than %d bytes", maxCursor)
	}
	if len(b) == 0 {
		return nil, errors.New("empty")
	}
	body, err := checkSum(b)
	if err != nil {
		return nil, err
	}
	l := lines{rest: body}
	l.magic()
	c := &cursor{group: l.quoted("group")}
	c.Stream = l.quoted("stream")
	c.Shard = streamer.ShardID(l.number("shard", math.MaxUint64))
	c.log = l.number("log", math.MaxUint64)
	if done := l.word("done"); done != "none" {
		c.begun, c.done = true, l.parse("done", done, 10, math.MaxUint64)
	}
	c.frame = int64(l.number("frame", math.MaxInt64))
	c.resume = int64(l.number("resume", math.MaxInt64))
	c.seen = int64(l.number("seen", math.MaxInt64))
	size, sum, _ := strings.Cut(l.word("print"), " ")
	c.print = print{int64(l.parse("print", size, 10, printSize)), uint32(l.parse("print", sum, 16, math.MaxUint32))}
	if l.err == nil && l.rest != "" {
		l.err = errors.New("more lines than there should be")
	}
	return c, l.err
}

// checkSum takes the last line off and compares it with those before.
func checkSum(b []byte) (string, error) {
	i := bytes.LastIndex(b, []byte("\nsum "))
	if i < 0 {
		return "", errors.New("it does not end with a checksum")
	}
	body := b[:i+1]
	if want := fmt.Sprintf("sum %08x\n", crc32.ChecksumIEEE(body)); string(b[i+1:]) != want {
		return "", errors.New("the checksum does not match")
	}
	return string(body), nil
}

// lines takes a cursor apart. The first error stays.
type lines struct {
	rest string
	err  error
}

func (l *lines) fail(word string) {
	if l.err == nil {
		l.err = fmt.Errorf("no valid line %q where it should be", word)
	}
}

func (l *lines) next() string {
	line, rest, _ := strings.Cut(l.rest, "\n")
	l.rest = rest
	return line
}

func (l *lines) magic() {
	if l.next() != cursorMagic {
		l.err = fmt.Errorf("it does not start with %q", cursorMagic)
	}
}

// word is the value of the next line, which must be about word.
func (l *lines) word(word string) string {
	value, ok := strings.CutPrefix(l.next(), word+" ")
	if !ok {
		l.fail(word)
	}
	return value
}

func (l *lines) quoted(word string) string {
	s, err := strconv.Unquote(l.word(word))
	if err != nil {
		l.fail(word)
	}
	return s
}

func (l *lines) number(word string, most uint64) uint64 { return l.parse(word, l.word(word), 10, most) }

func (l *lines) parse(word, s string, base int, most uint64) uint64 {
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil || n > most {
		l.fail(word)
	}
	return n
}
