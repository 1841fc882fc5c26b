package peer

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// port is a listener that treats each connection so, and keeps it open until
// the test ends.
func port(t *testing.T, treat func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			go treat(c)
		}
	}()
	return l.Addr().String()
}

func dial(addr string) Dial {
	return func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "tcp", addr) }
}

func TestAskSaysWhatAPortSpeaks(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	web, secure := httptest.NewServer(nothing), httptest.NewTLSServer(nothing)
	defer web.Close()
	defer secure.Close()
	says := func(words string) func(net.Conn) {
		return func(c net.Conn) { _, _ = io.WriteString(c, words) }
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	for _, tt := range []struct {
		name, addr string
		want       Protocol
	}{
		{"a broker", broker.ListenAddrs()[0], Kafka},
		{"a web server", web.Listener.Addr().String(), HTTP},
		{"a web server behind TLS", secure.Listener.Addr().String(), TLS},
		{"Redis", port(t, func(c net.Conn) {
			for r := bufio.NewReader(c); ; {
				if line, err := r.ReadString('\n'); err != nil {
					return
				} else if line == "PING\r\n" {
					_, _ = io.WriteString(c, "+PONG\r\n")
				} else {
					_, _ = io.WriteString(c, "-ERR unknown command\r\n")
				}
			}
		}), Redis},
		{"Redis that wants a password", port(t, says("-NOAUTH Authentication required.\r\n")), Redis},
		{"a shell", port(t, says("SSH-2.0-OpenSSH_9.9\r\n")), SSH},
		{"mail", port(t, says("220 mail.example ESMTP\r\n")), Other},
		{"silence", port(t, func(net.Conn) {}), Silent},
		{"a port that closes", port(t, func(c net.Conn) { _ = c.Close() }), Silent},
		{"nobody", gone.Addr().String(), Silent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Ask(t.Context(), dial(tt.addr)); got != tt.want {
				t.Errorf("it speaks %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAskReturnsSoonFromSilence(t *testing.T) {
	from := time.Now()
	Ask(t.Context(), dial(port(t, func(net.Conn) {})))
	if took := time.Since(from); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
