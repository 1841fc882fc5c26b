package file

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/gostreamer/streamer"
)

// BenchmarkStreams reads logs of one message in each of n streams, behind
// beacons that name few of them: what a stream costs must not rise with n.
//
//	go test -run '^$' -bench Streams -benchtime 1x ./file
func BenchmarkStreams(b *testing.B) {
	modes := map[string]streamer.ConsumerOptions{"realtime": earliest(), "resumable": resumable("r"), "balanced": balanced("b")}
	for _, n := range []int{3_000, 30_000} {
		r := benchRig(b, n)
		for mode, o := range modes {
			b.Run(fmt.Sprintf("%s/n=%d", mode, n), func(b *testing.B) {
				for i := range b.N {
					o.Group = fmt.Sprint(mode, i, b.N)
					if mode == "realtime" {
						o.Group = ""
					}
					r.each(b, o, n)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/stream")
			})
		}
		b.Run(fmt.Sprintf("describe/n=%d", n), func(b *testing.B) {
			for range b.N {
				r.describe(b, n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/stream")
		})
	}
}

type benchLog struct{ cfg Config }

func benchRig(b *testing.B, n int) benchLog {
	l := benchLog{Config{Path: filepath.Join(b.TempDir(), "log.ss"), Beacon: 64 << 10, NoFollow: true}}
	s := l.connect(b)
	defer s.Close()
	p, err := s.Producer(b.Context(), streamer.ProducerOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		r := inStreams(i)
		r.Value = make([]byte, 100)
		p.Send(b.Context(), r)
	}
	if err := p.Close(); err != nil {
		b.Fatal(err)
	}
	return l
}

func (l benchLog) connect(b *testing.B) streamer.Streamer {
	s, err := Connect(context.Background(), l.cfg, streamer.StreamerOptions{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// each reads and acknowledges n messages in a program of its own.
func (l benchLog) each(b *testing.B, o streamer.ConsumerOptions, n int) {
	s := l.connect(b)
	defer s.Close()
	o.Streams = []string{wildcard}
	c, err := s.Consumer(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	for range n {
		m, err := c.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		m.Ack()
	}
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
}

// describe describes each stream, in a program of its own.
func (l benchLog) describe(b *testing.B, n int) {
	s := l.connect(b)
	defer s.Close()
	names, err := s.Admin().Streams(b.Context(), "")
	if err != nil || len(names) != n {
		b.Fatal(len(names), err)
	}
	for _, name := range names {
		if _, err := s.Admin().Describe(b.Context(), name); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Admin().Groups(b.Context(), name); err != nil {
			b.Fatal(err)
		}
	}
}
