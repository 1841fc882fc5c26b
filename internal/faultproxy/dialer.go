package faultproxy

import (
	"context"
	"net"
	"sync"
)

// Net is a proxy for each server that is dialled through it, as the nodes of a
// cluster are, which a client learns of only while it runs. The zero value is
// ready; its methods may be called concurrently.
type Net struct {
	mu      sync.Mutex
	proxies map[string]*Proxy
	closed  bool
}

// DialContext connects to addr through its proxy. It has the signature that
// client libraries take a dialer in.
func (n *Net) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	p, err := n.Proxy(addr)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, network, p.Addr())
}

// Proxy is the proxy for a server, made when it is first asked for.
func (n *Net) Proxy(addr string) (*Proxy, error) {
	if p := n.find(addr); p != nil {
		return p, nil
	}
	p, err := Listen(addr)
	if err != nil {
		return nil, err
	}
	first, ok := n.keep(addr, p)
	if !ok {
		_ = p.Close()
	}
	if first == nil {
		return nil, net.ErrClosed
	}
	return first, nil
}

func (n *Net) find(addr string) *Proxy {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proxies[addr]
}

// keep adds a proxy unless another call was faster, or closed the net: then it
// returns the other one, or nil, and false.
func (n *Net) keep(addr string, p *Proxy) (*Proxy, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if other := n.proxies[addr]; other != nil || n.closed {
		return other, false
	}
	if n.proxies == nil {
		n.proxies = map[string]*Proxy{}
	}
	n.proxies[addr] = p
	return p, true
}

// Each calls f for every proxy there is.
func (n *Net) Each(f func(*Proxy)) {
	for _, p := range n.present() {
		f(p)
	}
}

// Close closes all proxies; nothing can be dialled any more.
func (n *Net) Close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.Each(func(p *Proxy) { _ = p.Close() })
}

func (n *Net) present() []*Proxy {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]*Proxy, 0, len(n.proxies))
	for _, p := range n.proxies {
		list = append(list, p)
	}
	return list
}
