package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// raw is RESP written by hand on one connection: as little as a client can do.
type raw struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte // reused

	entries int    // of the page that reply read
	last    []byte // the id of the last of them
	ids     []byte // all of them, as they go into a command
	acked   int    // entries so far
}

func (r *redisBed) dial() (*raw, error) {
	conn, err := (&net.Dialer{}).DialContext(r.ctx, "tcp", r.addr)
	if err != nil {
		return nil, err
	}
	return &raw{conn: conn, in: bufio.NewReaderSize(conn, 1<<20)}, nil
}

// command appends a command to out.
func command(out []byte, args ...string) []byte {
	out = fmt.Appendf(out, "*%d\r\n", len(args))
	for _, arg := range args {
		out = bulk(out, arg)
	}
	return out
}

func bulk[T string | []byte](out []byte, arg T) []byte {
	out = append(out, '$')
	out = strconv.AppendInt(out, int64(len(arg)), 10)
	out = append(out, "\r\n"...)
	out = append(out, arg...)
	return append(out, "\r\n"...)
}

func (c *raw) send(commands []byte) error {
	_, err := c.conn.Write(commands)
	return err
}

// rawAdd writes while it reads the replies.
func (r *redisBed) rawAdd(stream string, n int) error {
	c, err := r.dial()
	if err != nil {
		return err
	}
	one := command(nil, "XADD", stream, "*", "msg", string(make([]byte, payload)))
	written := make(chan error, 1)
	go func() { // ends when the connection does
		request := bytes.Repeat(one, perRequest)
		for left := n; left > 0; left -= perRequest {
			if err := c.send(request[:len(one)*min(left, perRequest)]); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	for range n {
		if _, err = c.bulk(); err != nil {
			break
		}
	}
	err = errors.Join(err, c.conn.Close())
	return errors.Join(err, <-written)
}

// rawRead asks for the next page when it has one.
func (r *redisBed) rawRead(stream string, n int) error {
	c, err := r.dial()
	if err != nil {
		return err
	}
	c.last = append(c.last, '0')
	for n > 0 && err == nil {
		out := command(c.out[:0], "XREAD", "COUNT", strconv.Itoa(perRequest), "STREAMS", stream, string(c.last))
		err = c.send(out)
		for c.entries = 0; c.entries == 0 && err == nil; {
			err = c.reply()
		}
		n -= c.entries
	}
	return errors.Join(err, c.conn.Close())
}

// rawShare keeps two reads in flight; each further one goes out with the
// acknowledgement of a page.
func (r *redisBed) rawShare(stream, group string, n int) error {
	c, err := r.dial()
	if err != nil {
		return err
	}
	read := command(nil, "XREADGROUP", "GROUP", group, "member", "COUNT", strconv.Itoa(perRequest), "STREAMS", stream, ">")
	err = c.send(append(bytes.Clone(read), read...))
	for left := n; c.acked < n && err == nil; {
		c.entries, c.ids = 0, c.ids[:0]
		if err = c.reply(); err != nil || c.entries == 0 {
			continue
		}
		left -= c.entries
		c.out = fmt.Appendf(c.out[:0], "*%d\r\n", 3+c.entries)
		for _, word := range []string{"XACK", stream, group} {
			c.out = bulk(c.out, word)
		}
		c.out = append(c.out, c.ids...)
		if left > 0 {
			c.out = append(c.out, read...)
		}
		err = c.send(c.out)
	}
	return errors.Join(err, c.conn.Close())
}
