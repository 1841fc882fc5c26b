package group

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

// Cursor is a group's position in one shard, as its file holds it.
type Cursor struct {
	Group string
	streamer.StreamShard

	Log   uint64 // when the log was created: a recreated log is another one
	Begun bool   // some message is done
	Done  uint64 // the last of them; all before it are done too
	Frame int64  // where its frame starts in the log; 0: unknown
	// Resume is an offset before which the shard has nothing that is not done;
	// 0: unknown.
	Resume int64
	// Seen is an offset before which no shard of the stream without a cursor
	// has anything to deliver; 0: unknown.
	Seen  int64
	Print Print // of the log's first bytes: offsets are not used in another log
}

// Print is the checksum of the first bytes of a log, which never change as long
// as it is the same log.
type Print struct {
	Size int64
	Sum  uint32
}

// printSize is how many bytes are enough.
const printSize = 4096

// PrintOf is the Print of a log that has at least size bytes.
func PrintOf(log io.ReaderAt, size int64) (Print, error) {
	b := make([]byte, min(size, printSize))
	n, err := log.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Print{}, err
	}
	return Print{int64(n), crc32.ChecksumIEEE(b[:n])}, nil
}

const (
	cursorMagic = "streamer position 1"
	maxCursor   = 64 << 10 // no cursor is longer
)

// Append appends the contents of the cursor's file to b: lines of a word and a
// value, and a checksum of the lines before it.
func (c *Cursor) Append(b []byte) []byte {
	start := len(b)
	done := "none"
	if c.Begun {
		done = strconv.FormatUint(c.Done, 10)
	}
	b = fmt.Appendf(b, "%s\ngroup %q\nstream %q\nshard %d\nlog %d\ndone %s\nframe %d\nresume %d\nseen %d\nprint %d %08x\n",
		cursorMagic, c.Group, c.Stream, c.Shard, c.Log, done, c.Frame, c.Resume, c.Seen, c.Print.Size, c.Print.Sum)
	return fmt.Appendf(b, "sum %08x\n", crc32.ChecksumIEEE(b[start:]))
}

// parseCursor parses the contents of a file.
func parseCursor(b []byte) (*Cursor, error) {
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
	c := &Cursor{Group: l.quoted("group")}
	c.Stream = l.quoted("stream")
	c.Shard = streamer.ShardID(l.number("shard", math.MaxUint64))
	c.Log = l.number("log", math.MaxUint64)
	if done := l.word("done"); done != "none" {
		c.Begun, c.Done = true, l.parse("done", done, 10, math.MaxUint64)
	}
	c.Frame = int64(l.number("frame", math.MaxInt64))
	c.Resume = int64(l.number("resume", math.MaxInt64))
	c.Seen = int64(l.number("seen", math.MaxInt64))
	size, sum, _ := strings.Cut(l.word("print"), " ")
	c.Print = Print{int64(l.parse("print", size, 10, printSize)), uint32(l.parse("print", sum, 16, math.MaxUint32))}
	if l.err == nil && l.rest != "" {
		l.err = errors.New("more lines than there should be")
	}
	return c, l.err
}

// checkSum removes the last line, which is the checksum of those before it.
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

// lines parses a cursor line by line. The first error stays.
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

// word is the value of the next line, which must start with word.
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
