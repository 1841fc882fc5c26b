package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// scanning is trials of bufio.Scanner over a file: it keeps no line, which is
// what a message must.
func (b *bed) scanning(path string) task {
	return b.reading(path, func(r io.Reader) (n int, err error) {
		s := bufio.NewScanner(r)
		for s.Scan() {
			n++
		}
		return n, s.Err()
	})
}

// copying is scanning that keeps each line for as long as something refers to
// it.
func (b *bed) copying(path string) task {
	return b.reading(path, func(r io.Reader) (n int, err error) {
		s := bufio.NewScanner(r)
		var line []byte
		for s.Scan() {
			line = bytes.Clone(s.Bytes())
			n += min(len(line), 1)
		}
		return n, s.Err()
	})
}

// reading is trials of what a plain program does with a file.
func (b *bed) reading(path string, read func(io.Reader) (int, error)) task {
	return func() (trial, error) {
		f, err := os.Open(path)
		if err != nil {
			return trial{}, err
		}
		return trial{run: func() (int, error) { return read(f) }, end: f.Close}, nil
	}
}

// buffering is trials of bufio.Writer that writes a file's bytes again, each
// message's with one call.
func (b *bed) buffering(path string) task {
	return func() (trial, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return trial{}, err
		}
		f, err := os.Create(filepath.Join(b.dir, b.unique("control")))
		if err != nil {
			return trial{}, err
		}
		return trial{
			run: func() (int, error) { return b.writeParts(f, text) },
			end: func() error { return discard(f) },
		}, nil
	}
}

func (b *bed) writeParts(w io.Writer, text []byte) (int, error) {
	buffer := bufio.NewWriterSize(w, 64<<10)
	for i := range b.messages {
		from, to := len(text)*i/b.messages, len(text)*(i+1)/b.messages
		if _, err := buffer.Write(text[from:to]); err != nil {
			return i, err
		}
	}
	return b.messages, buffer.Flush()
}

// discard closes a file and removes it.
func discard(f *os.File) error {
	if err := f.Close(); err != nil {
		return err
	}
	return os.Remove(f.Name())
}

// writeLines makes a file of lines, each a head, if any, and a value.
func (b *bed) writeLines(head string) (path string, err error) {
	value := bytes.Repeat([]byte("x"), payload)
	var text bytes.Buffer
	for i := range b.messages {
		if head != "" {
			fmt.Fprintf(&text, head, i)
		}
		text.Write(value)
		text.WriteByte('\n')
	}
	path = filepath.Join(b.dir, b.unique("lines"))
	return path, os.WriteFile(path, text.Bytes(), 0o600)
}
