package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// reply reads what a read or an XACK is answered.
func (c *raw) reply() error {
	kind, n, err := c.head()
	switch {
	case err != nil:
		return err
	case kind == ':':
		c.acked += n
		return nil
	case kind != '*' || n < 0: // nothing more is there
		return nil
	}
	return c.page()
}

// page reads the entries of the one stream that was asked for, up to their last
// byte.
func (c *raw) page() error {
	if err := c.expect(2); err != nil {
		return err
	}
	if _, err := c.bulk(); err != nil { // the stream's name
		return err
	}
	kind, n, err := c.head()
	if err != nil || kind != '*' {
		return fmt.Errorf("a page begins with %c%d: %w", kind, n, err)
	}
	for range n {
		if err := c.entry(); err != nil {
			return err
		}
	}
	c.entries = n
	return nil
}

// entry is an id and fields with values.
func (c *raw) entry() error {
	if err := c.expect(2); err != nil {
		return err
	}
	id, err := c.bulk()
	if err != nil {
		return err
	}
	c.last = append(c.last[:0], id...)
	c.ids = bulk(c.ids, id)
	_, fields, err := c.head()
	for range fields {
		if err == nil {
			_, err = c.bulk()
		}
	}
	return err
}

func (c *raw) expect(n int) error {
	if kind, got, err := c.head(); err != nil || kind != '*' || got != n {
		return fmt.Errorf("%c%d instead of *%d: %w", kind, got, n, err)
	}
	return nil
}

// bulk is valid until the next call.
func (c *raw) bulk() ([]byte, error) {
	kind, n, err := c.head()
	if err != nil || kind != '$' {
		return nil, fmt.Errorf("%c%d instead of a string: %w", kind, n, err)
	}
	text, err := c.in.Peek(n + 2)
	if err != nil {
		return nil, err
	}
	_, err = c.in.Discard(n + 2)
	return text[:n], err
}

// head is a line: what follows, and its length or value.
func (c *raw) head() (kind byte, n int, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	line = bytes.TrimSuffix(line, []byte("\r\n"))
	if line[0] == '-' {
		return line[0], 0, fmt.Errorf("the server says %q", line)
	}
	n, err = strconv.Atoi(string(line[1:])) // does not allocate
	return line[0], n, err
}
