package faultproxy

import (
	"net"
	"sync"
	"time"
)

const (
	chunkSize = 32 << 10
	inFlight  = 256 // chunks on the wire in one direction; enough for 8 MiB per delay
)

// link is one connection through the proxy. Each direction has a goroutine that
// reads and one that writes, so that a delay does not limit the throughput; the
// proxy's Close joins them.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	once           sync.Once
	broken         chan struct{} // closed when the link is over
	directions     sync.WaitGroup
}

// chunk is what was read at once, and when it arrives.
type chunk struct {
	data []byte
	due  time.Time
}

func (l *link) start() {
	l.directions.Add(2)
	l.proxy.work.Add(5)
	for d, ends := range [2][2]net.Conn{Requests: {l.client, l.server}, Replies: {l.server, l.client}} {
		wire := make(chan chunk, inFlight)
		go l.read(ends[0], wire)
		go l.write(Direction(d), ends[1], wire)
	}
	go l.finish()
}

// finish ends the link when both directions are done.
func (l *link) finish() {
	defer l.proxy.work.Done()
	l.directions.Wait()
	l.breakOff()
}

// breakOff ends the link; whatever is on the wire is lost.
func (l *link) breakOff() {
	l.once.Do(func() {
		close(l.broken)
		reset(l.client)
		reset(l.server)
		l.proxy.forget(l)
	})
}

// reset closes a connection without handing over what the other side has not
// yet been sent.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func (l *link) read(from net.Conn, wire chan<- chunk) {
	defer l.proxy.work.Done()
	defer close(wire)
	for {
		buf := make([]byte, chunkSize)
		n, err := from.Read(buf)
		if n > 0 {
			select {
			case wire <- chunk{buf[:n], time.Now().Add(l.proxy.latency())}:
			case <-l.broken:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// write passes on what is due. At the end of what the sender has to say, the
// receiver hears so and may still answer.
func (l *link) write(d Direction, to net.Conn, wire <-chan chunk) {
	defer l.proxy.work.Done()
	defer l.directions.Done()
	for c := range wire {
		if !l.await(c.due) {
			return
		}
		n, reached := l.proxy.take(d, len(c.data))
		err := l.pass(d, to, c.data[:n])
		if reached != nil {
			_ = to.Close() // in order, so that the receiver has what it was sent
			l.breakOff()
			close(reached.reached)
			return
		}
		if err != nil {
			l.breakOff()
			return
		}
	}
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

// pass writes as fast as the throttle lets it, and all at once where there is
// none. It ends early, without an error, when the link is over.
func (l *link) pass(d Direction, to net.Conn, data []byte) error {
	for len(data) > 0 {
		n, due := l.proxy.share(d, len(data))
		if !l.await(due) {
			return nil
		}
		if _, err := to.Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// await waits until a chunk is due and nothing is stalled; false when the link
// is over.
func (l *link) await(due time.Time) bool {
	if wait := time.Until(due); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-l.broken:
			return false
		}
	}
	for stall := l.proxy.stalled(); stall != nil; stall = l.proxy.stalled() {
		select {
		case <-stall:
		case <-l.broken:
			return false
		}
	}
	return true
}
