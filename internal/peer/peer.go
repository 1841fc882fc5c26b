// Package peer finds out what speaks at a port. A client that gets no answer,
// or one that it does not understand, tells nothing of that: with this its
// backend can say what is there instead.
package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// Protocol is what a port speaks, in words that follow "the port speaks".
type Protocol string

// The protocols that are recognised.
const (
	Kafka  Protocol = "Kafka"
	Redis  Protocol = "Redis"
	TLS    Protocol = "TLS"
	HTTP   Protocol = "HTTP"
	SSH    Protocol = "SSH"
	AMQP   Protocol = "AMQP"
	Other  Protocol = "something else"
	Silent Protocol = "" // it answers nothing, or closes the connection
)

// Dial opens a connection to the port.
type Dial func(ctx context.Context) (net.Conn, error)

// patience is how long a port may take to answer.
const patience = time.Second

// Ask puts the first words of each protocol to the port, on a connection of its
// own and side by side, and says what the port answers. It returns within about
// a second; Silent also when the port cannot be reached.
func Ask(ctx context.Context, dial Dial) Protocol {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	questions := [...]func(net.Conn) Protocol{
		func(c net.Conn) Protocol { p, _ := AskKafka(c); return p },
		func(c net.Conn) Protocol { p, _ := AskRedis(c); return p },
		func(c net.Conn) Protocol { return askTLS(ctx, c) },
	}
	answers := make(chan Protocol, len(questions)) // the last of them is always received, so no goroutine outlives this call
	for _, q := range questions {
		go func() { answers <- put(ctx, dial, q) }()
	}
	found := Silent
	for range questions {
		switch p := <-answers; {
		case p == Silent, p == Other && found != Silent:
		case found == Silent, found == Other:
			found = p
		}
		if found != Silent && found != Other {
			cancel()
		}
	}
	return found
}

// put dials and asks; what takes longer than ctx is cut off.
func put(ctx context.Context, dial Dial, question func(net.Conn) Protocol) Protocol {
	c, err := dial(ctx)
	if err != nil {
		return Silent
	}
	defer func() { _ = c.Close() }()
	defer Bound(ctx, c)()
	return question(c)
}

// Bound makes every read and write of c fail when ctx ends, until release is
// called.
func Bound(ctx context.Context, c net.Conn) (release func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
}

// AskRedis asks what is at the other end of c as a Redis server, or a sentinel.
// Silent comes with the reason. c is of no use afterwards.
func AskRedis(c net.Conn) (Protocol, error) {
	if _, err := io.WriteString(c, "PING\r\n"); err != nil {
		return Silent, err
	}
	return listen(c)
}

func askTLS(ctx context.Context, c net.Conn) Protocol {
	err := tls.Client(c, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx) //nolint:gosec // nothing is said behind the handshake
	if err == nil {
		return TLS
	}
	if alert, ok := errors.AsType[*net.OpError](err); ok && alert.Op == "remote error" {
		return TLS
	}
	if header, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return recognise(header.RecordHeader[:])
	}
	return Silent
}

// enough is how many bytes tell every protocol from the others.
const enough = 8

// listen reads what the port says until that is recognised, up to enough bytes.
func listen(c net.Conn) (Protocol, error) {
	var b [enough]byte
	for n := 0; ; {
		more, err := c.Read(b[n:])
		n += more
		if p := recognise(b[:n]); n > 0 && (p != Other || n == enough || err != nil) {
			return p, nil //nolint:nilerr // it has said enough
		}
		if err != nil {
			return Silent, err
		}
	}
}
