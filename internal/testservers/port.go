package testservers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken below the range that systems give to outgoing connections.
// From there, a client that calls a stopped server could be given the server's
// own port, connect to itself, and keep the server from coming back.
const (
	lowestPort  = 10000
	highestPort = 30000
)

// freePort finds a port of loopback on which nothing listens.
func freePort() (int, error) {
	ports, err := freePorts(1)
	if err != nil {
		return 0, err
	}
	return ports[0], nil
}

// freePorts finds n different ones.
func freePorts(n int) ([]int, error) {
	var ports []int
	var last error
	for range 100 * n {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			last = err
			continue
		}
		defer l.Close() // held until the last one is found, so that they differ
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("no free port: %w", last)
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
