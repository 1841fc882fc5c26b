package faultproxy

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// Direction is where bytes go.
type Direction uint8

const (
	Requests Direction = iota // from client to server
	Replies                   // from server to client
)

func (d Direction) String() string { return [...]string{"requests", "replies"}[d] }

// Proxy passes connections on to a server. Its methods may be called
// concurrently.
type Proxy struct {
	target   string
	listener net.Listener
	work     sync.WaitGroup // the accept loop and the goroutines of every link, joined by Close

	mu       sync.Mutex
	links    map[*link]struct{}
	cut      bool
	delay    time.Duration
	stall    chan struct{} // closed when bytes flow again; nil while they do
	limits   [2]*limit     // nil where there is none
	bytes    [2]int64
	rates    [2]int       // bytes per second; 0: no limit
	free     [2]time.Time // when the link has passed what it was given
	accepted int
	broken   int
}

// limit is what CutAfter asked for.
type limit struct {
	left    int64
	reached chan struct{}
}

// Listen starts a proxy to the server at target, on a free port of loopback.
func Listen(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	p := &Proxy{target: target, listener: l, links: map[*link]struct{}{}}
	p.work.Add(1)
	go p.accept()
	return p, nil
}

// New is Listen for a test, which fails if there is no proxy, and closes it at
// its end.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	p, err := Listen(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// Addr is where clients connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close breaks all connections and returns when every goroutine has ended.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.Cut()
	p.work.Wait()
	return err
}

func (p *Proxy) accept() {
	defer p.work.Done()
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		if !p.admit() {
			reset(client)
			continue
		}
		server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
		if err != nil {
			reset(client)
			continue
		}
		p.connect(client, server)
	}
}

func (p *Proxy) admit() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.cut
}

// connect starts the four goroutines of a link, unless connections were cut
// meanwhile.
func (p *Proxy) connect(client, server net.Conn) {
	l := &link{proxy: p, client: client, server: server, broken: make(chan struct{})}
	p.mu.Lock()
	cut := p.cut
	if !cut {
		p.links[l] = struct{}{}
		p.accepted++
	}
	p.mu.Unlock()
	if cut {
		l.breakOff()
		return
	}
	l.start()
}

func (p *Proxy) forget(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// take says how many of n bytes may pass in a direction. A limit that is
// reached with them is returned: the connection breaks after them.
func (p *Proxy) take(d Direction, n int) (pass int, reached *limit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.limits[d]
	if l != nil && int64(n) >= l.left {
		n, reached = int(l.left), l
		p.limits[d] = nil
		p.broken++
	} else if l != nil {
		l.left -= int64(n)
	}
	p.bytes[d] += int64(n)
	return n, reached
}
