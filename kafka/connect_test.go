package kafka_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

const secret = "tops3cret"

// certificate makes one for 127.0.0.1 that signs itself, and its files.
func certificate(t *testing.T) (cert tls.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", private)
}

func cluster(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

// closedPort is where nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// listener is a port whose connections are answered, and then closed.
func listener(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			answer(c)
			c.Close()
		}
	}()
	return l.Addr().String()
}

// deaf is a port that closes what it does not understand, as a broker's does
// when TLS comes to one without.
func deaf(t *testing.T) string {
	return listener(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1024)) })
}

// abrupt is a port that speaks TLS and resets the connection behind the
// handshake, as a broker's may to whom it does not know.
func abrupt(t *testing.T, cert tls.Certificate) string {
	return listener(t, func(c net.Conn) {
		secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
		if secure.HandshakeContext(t.Context()) == nil {
			_, _ = secure.Read(make([]byte, 1))
			_ = c.(*net.TCPConn).SetLinger(0)
		}
	})
}

// mistake is a URI that is wrong, and the error that says so.
type mistake struct {
	name, uri string
	kind      error // nil: any
	words     string
}

// check connects, which has to fail, without a word of the password.
func (m mistake) check(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	s, err := streamer.Connect(ctx, m.uri)
	if err == nil {
		s.Close()
		t.Fatal("it connects")
	}
	t.Log(err)
	var e *streamer.Error
	if !errors.As(err, &e) || m.kind != nil && !errors.Is(err, m.kind) {
		t.Errorf("the error is %v, want %v", err, m.kind)
	}
	if !strings.Contains(err.Error(), m.words) {
		t.Errorf("the error does not say %q: %v", m.words, err)
	}
	if strings.Contains(fmt.Sprintf("%+v", err), secret) {
		t.Errorf("the error has the password: %v", err)
	}
}

func TestAMistakeInTheSettingsIsATypedErrorThatSaysWhich(t *testing.T) {
	cert, certFile, _ := certificate(t)
	_, otherFile, _ := certificate(t)
	plain := cluster(t)
	secure := cluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	guarded := cluster(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", secret), kfake.Superuser("SCRAM-SHA-256", "alice", secret))
	for _, m := range []mistake{
		{"wrong password", "kafka://alice:wrong@" + guarded + "/x", streamer.ErrDenied, "password"},
		{"wrong user of SCRAM", "kafka://bob:" + secret + "@" + guarded + "/x?sasl=scram-sha-256", streamer.ErrDenied, "username"},
		{"no credentials", "kafka://" + guarded + "/x", streamer.ErrInvalid, "sasl="},
		{"TLS to a plain port", "kafka://" + deaf(t) + "/x?tls=true", streamer.ErrInvalid, "tls="},
		{"plain text to a TLS port", "kafka://" + secure + "/x", streamer.ErrInvalid, "tls="},
		{"an authority that nobody knows", "kafka://" + secure + "/x?tls=true", streamer.ErrInvalid, "tls_ca="},
		{"who is reset behind the handshake", "kafka://" + abrupt(t, cert) + "/x?tls_ca=" + certFile, streamer.ErrDenied, "tls_cert="},
		{"the wrong authority", "kafka://" + secure + "/x?tls_ca=" + otherFile, streamer.ErrInvalid, "tls_ca="},
		{"a closed port", "kafka://" + closedPort(t) + "/x", nil, "nothing listens"},
		{"no such host", "kafka://no-such-host.invalid:9092/x", streamer.ErrInvalid, "no such host"},
		{"a file that is missing", "kafka://" + plain + "/x?tls_ca=/no/such/file", streamer.ErrInvalid, "tls_ca"},
		{"a certificate without a key", "kafka://" + plain + "/x?tls_cert=" + certFile, streamer.ErrInvalid, "tls_key"},
		{"a password without a user", "kafka://" + plain + "/x?password_file=" + certFile, streamer.ErrInvalid, "username"},
		{"a token that nobody gives", "kafka://" + plain + "/x?sasl=oauth", streamer.ErrInvalid, "password_file"},
		{"no broker", "kafka:///x", streamer.ErrInvalid, "broker"},
		{"another word", "kafka://" + plain + "/x?acks=two", streamer.ErrInvalid, "leader"},
	} {
		t.Run(m.name, m.check)
	}
}

func TestEveryWayToProveOneselfWorks(t *testing.T) {
	cert, certFile, keyFile := certificate(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(t, certFile))
	guarded := cluster(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", secret),
		kfake.Superuser("SCRAM-SHA-256", "alice", secret), kfake.Superuser("SCRAM-SHA-512", "alice", secret))
	mutual := cluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots}))
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{
		"kafka://alice:" + secret + "@" + guarded + "/x",
		"kafka://alice:" + secret + "@" + guarded + "/x?sasl=scram-sha-256",
		"kafka://alice@" + guarded + "/x?sasl=scram-sha-512&password_file=" + file,
		"kafka://" + guarded + "/x?username=alice&password_file=" + file,
		"kafka://" + mutual + "/x?tls_ca=" + certFile + "&tls_cert=" + certFile + "&tls_key=" + keyFile,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), hang)
		s, err := streamer.Connect(ctx, uri)
		cancel()
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		s.Close()
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheTokenIsAskedForAtEveryAuthentication(t *testing.T) {
	guarded := cluster(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", secret))
	asked := 0
	_, err := kafka.Connect(t.Context(), kafka.Config{Brokers: []string{guarded}, OAuth: func(context.Context) (oauth.Auth, error) {
		asked++
		return oauth.Auth{Token: secret}, nil
	}}, streamer.StreamerOptions{})
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a broker without OAUTHBEARER: %v", err)
	}
	if errors.Is(err, streamer.ErrInvalid) == (asked > 0) {
		t.Errorf("asked %d times, and then %v", asked, err)
	}
}
