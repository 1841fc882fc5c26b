package redis

import (
	"net"
	"syscall"
)

// tap is the connection under a go-redis client that reads pages of messages or
// sends batches. go-redis writes and reads value by value, with allocations and
// copies; so the tap writes and reads what conn wants, and go-redis sees a
// short command and a short reply in its place. All else, deadlines and errors
// among it, is go-redis's.
type tap struct {
	net.Conn
	of    *conn
	shown []byte // what go-redis is still to read
}

// ok is what go-redis reads for a reply that was taken.
const ok = "+OK\r\n"

// tapped puts a tap on a connection. go-redis asks a connection that lets it
// whether the other end has closed it.
func tapped(raw net.Conn, of *conn) net.Conn {
	t := &tap{Conn: raw, of: of}
	if sys, is := raw.(syscall.Conn); is {
		return struct {
			*tap
			syscall.Conn
		}{t, sys}
	}
	return t
}

// Write implements net.Conn.
func (t *tap) Write(p []byte) (int, error) {
	if t.of.begin(t.Conn) {
		return len(p), nil
	}
	return t.Conn.Write(p)
}

// Read implements net.Conn.
func (t *tap) Read(p []byte) (int, error) {
	if len(t.shown) == 0 {
		r := t.of.wanted()
		if r == nil {
			return t.Conn.Read(p)
		}
		if err := r.readFrom(t.Conn); err != nil {
			return 0, err
		}
		t.shown = []byte(ok)
	}
	n := copy(p, t.shown)
	t.shown = t.shown[n:]
	return n, nil
}
