package testservers

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// call sends commands on a connection of its own and returns the reply to the
// last: a string, an int64, nil or a []any of these. The first error ends it.
// The client library that the redis backend uses is not used here: it logs,
// retries and keeps connections, all of which is in the way while servers come
// and go.
func call(addr string, secured *tls.Config, commands ...[]string) (any, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if secured != nil {
		conn = tls.Client(conn, secured)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	var reply any
	for _, command := range commands {
		if _, err := conn.Write(encode(command)); err != nil {
			return nil, err
		}
		if reply, err = readReply(in); err != nil {
			return nil, err
		}
		if refused, ok := reply.(error); ok {
			return nil, fmt.Errorf("%s: %w", command[0], refused)
		}
	}
	return reply, nil
}

func encode(command []string) []byte {
	text := fmt.Appendf(nil, "*%d\r\n", len(command))
	for _, arg := range command {
		text = fmt.Appendf(text, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return text
}

// readReply reads one reply in RESP2. An error reply is a value of type error.
func readReply(in *bufio.Reader) (any, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return nil, errors.New("an empty line instead of a reply")
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+':
		return rest, nil
	case '-':
		return errors.New(rest), nil
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("reply %q: %w", line, err)
	}
	switch {
	case kind == ':':
		return n, nil
	case n < 0:
		return nil, nil
	case kind == '$':
		return readBulk(in, n)
	case kind == '*':
		return readArray(in, n)
	}
	return nil, fmt.Errorf("reply %q", line)
}

func readBulk(in *bufio.Reader, n int64) (any, error) {
	text := make([]byte, n+2)
	if _, err := io.ReadFull(in, text); err != nil {
		return nil, err
	}
	return string(text[:n]), nil
}

func readArray(in *bufio.Reader, n int64) (any, error) {
	list := make([]any, n)
	for i := range list {
		var err error
		if list[i], err = readReply(in); err != nil {
			return nil, err
		}
	}
	return list, nil
}
