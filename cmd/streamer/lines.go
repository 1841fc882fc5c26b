package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/gostreamer/streamer"
)

// line is one line of input, without its newline.
type line struct {
	number int
	text   []byte // its own memory
	err    error  // the line is unusable; its neighbours are not
}

// lineReader reads lines of up to max bytes. A longer one is skipped and
// reported, so that no input makes it use more memory.
type lineReader struct {
	r      *bufio.Reader
	max    int
	number int
	read   int64 // bytes
}

func newLineReader(r io.Reader, max int) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, 64<<10), max: max}
}

// next returns the next line; the last one needs no newline. At the end it is
// io.EOF.
func (l *lineReader) next() (line, error) {
	text, size, err := l.scan()
	l.read += int64(size)
	if err != nil && (!errors.Is(err, io.EOF) || size == 0) {
		return line{}, err
	}
	l.number++
	if text == nil {
		return line{number: l.number, err: fmt.Errorf("%w: %s bytes, and --max-line allows %s",
			streamer.ErrTooLarge, thousands(int64(size)), thousands(int64(l.max)))}, nil
	}
	return line{number: l.number, text: text}, nil
}

// scan reads up to and with a newline and says how much that was. text is nil
// when the line is longer than max.
func (l *lineReader) scan() (text []byte, size int, err error) {
	text = []byte{}
	for {
		part, err := l.r.ReadSlice('\n')
		size += len(part)
		if err == nil {
			part = part[:len(part)-1]
		}
		if text != nil && len(text)+len(part) <= l.max {
			text = append(text, part...)
		} else {
			text = nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, size, err
		}
	}
}

// buffered says that another whole line can be had without waiting.
func (l *lineReader) buffered() bool {
	ahead, _ := l.r.Peek(l.r.Buffered())
	return bytes.IndexByte(ahead, '\n') >= 0
}

// batches reads lines into out until the input ends or done is closed, as many
// at a time as are there, and closes out. last is the error that ended it, nil
// at the end of the input; it may be read when out is closed. Its goroutine
// ends with the input: a read of a terminal or a pipe cannot be interrupted.
func (l *lineReader) batches(done <-chan struct{}) (out <-chan []line, last *error) {
	lines := make(chan []line)
	last = new(error)
	go func() {
		defer close(lines)
		for {
			batch, err := l.batch()
			if len(batch) > 0 {
				select {
				case lines <- batch:
				case <-done:
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					*last = err
				}
				return
			}
		}
	}()
	return lines, last
}

// batch waits for one line and takes what else is there.
func (l *lineReader) batch() ([]line, error) {
	var batch []line
	for {
		next, err := l.next()
		if err != nil {
			return batch, err
		}
		batch = append(batch, next)
		if len(batch) == batchSize || !l.buffered() {
			return batch, nil
		}
	}
}
