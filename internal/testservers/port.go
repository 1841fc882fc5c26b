package testservers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken below the range that systems give to outgoing connections. From there, a client that calls a stopped server could be given
// the server's own port, connect to itself, and keep the server from coming back.
const (
	lowestPort  = 10000
	highestPort = 30000
)

// freePort finds a port of loopback on which nobody listens.
func freePort() (int, error) {
	var last error
	for range 100 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		l, err := net.Listen("tcp", loopback(port))
		if err == nil {
			return port, l.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("no free port: %w", last)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
