package kafka_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

// fortress is a broker with every way in: a listener each for plain text, SASL,
// TLS, and SASL over TLS.
type fortress struct {
	*rig
	*testservers.KafkaServer
	certificates *testservers.Certificates
	password     string // the name of a file
}

// besiege starts a fortress, or leaves the test out and returns nil. Over TLS
// it takes PLAIN alone.
func besiege(t *testing.T) *fortress {
	t.Helper()
	c := testservers.StartKafka(t, testservers.KafkaOptions{
		Users: map[string]string{"alice": secret},
		TLS:   testservers.Mutual,
		Properties: []string{
			"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
			"listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN",
			"listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;",
		},
	})
	if c == nil {
		return nil
	}
	f := &fortress{
		rig:          &rig{TB: t, brokers: c.Addrs()},
		KafkaServer:  c.Nodes[0],
		certificates: c.Certificates,
		password:     filepath.Join(t.TempDir(), "password"),
	}
	f.prepare(1, nil)
	f.must(os.WriteFile(f.password, []byte(secret+"\n"), 0o600))
	return f
}

// at is a URI of a listener, for a user, with options.
func (f *fortress) at(l testservers.Listener, user string, options ...string) string {
	if user != "" {
		user += "@"
	}
	return "kafka://" + user + f.At(l) + "/" + f.topic + "?" + strings.Join(options, "&")
}

// trust are the options of a client that the broker knows.
func (f *fortress) trust() string {
	return "tls_ca=" + f.certificates.CA + "&tls_cert=" + f.certificates.Cert + "&tls_key=" + f.certificates.Key
}

// unsigned is a token that a broker takes which was not told who signs: a
// test's.
func unsigned(subject string, ends time.Time) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	claims := fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, subject, time.Now().Add(-time.Minute).Unix(), ends.Unix())
	return part(`{"alg":"none"}`) + "." + part(claims) + "."
}

// thereAndBack sends a record and takes one as a member of a group.
func thereAndBack(ctx context.Context, s streamer.Streamer, stream string) error {
	p, err := s.Producer(ctx, streamer.ProducerOptions{Stream: stream})
	if err != nil {
		return err
	}
	if _, err := p.Send(ctx, streamer.Record{Value: []byte("one lamp")}).Wait(ctx); err != nil {
		return err
	}
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{Streams: []string{stream}, Mode: streamer.LoadBalanced, Group: stream, AutoReset: streamer.Earliest})
	if err != nil {
		return err
	}
	m, err := c.Next(ctx)
	if err != nil {
		return err
	}
	m.Ack()
	return c.Close()
}

func TestEveryWayIntoARealBroker(t *testing.T) {
	f := besiege(t)
	if f == nil {
		return
	}
	token := filepath.Join(t.TempDir(), "token")
	f.must(os.WriteFile(token, []byte(unsigned("alice", time.Now().Add(time.Hour))+"\n"), 0o600))
	for name, uri := range map[string]string{
		"PLAIN":                    f.at(testservers.ListenSASL, "alice:"+secret),
		"PLAIN, a file":            f.at(testservers.ListenSASL, "", "username=alice", "password_file="+f.password),
		"SCRAM-SHA-256":            f.at(testservers.ListenSASL, "alice:"+secret, "sasl=scram-sha-256"),
		"SCRAM-SHA-512":            f.at(testservers.ListenSASL, "alice", "sasl=scram-sha-512", "password_file="+f.password),
		"OAUTHBEARER, a file":      f.at(testservers.ListenSASL, "", "sasl=oauth", "password_file="+token),
		"a certificate":            f.at(testservers.ListenTLS, "", f.trust()),
		"PLAIN over TLS":           f.at(testservers.ListenSASLTLS, "alice:"+secret, "tls_ca="+f.certificates.CA),
		"PLAIN and a certificate":  f.at(testservers.ListenSASLTLS, "alice:"+secret, f.trust()),
		"nothing, where that will": "kafka://" + f.Addr() + "/" + f.topic,
	} {
		t.Run(name, func(t *testing.T) {
			s, err := streamer.Connect(f.ctx(), uri)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(thereAndBack(f.ctx(), s, f.topic), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestATokenComesFromTheProgramForEachConnection(t *testing.T) {
	f := besiege(t)
	if f == nil {
		return
	}
	asked := make(chan struct{}, 1000)
	for subject, ends := range map[string]time.Time{"alice": time.Now().Add(time.Hour), "expired": time.Now().Add(-time.Hour)} {
		s, err := kafka.Connect(f.ctx(), kafka.Config{Brokers: []string{f.At(testservers.ListenSASL)}, OAuth: func(context.Context) (oauth.Auth, error) {
			asked <- struct{}{}
			return oauth.Auth{Token: unsigned(subject, ends)}, nil
		}}, streamer.StreamerOptions{})
		if err == nil {
			err = errors.Join(thereAndBack(f.ctx(), s, f.topic), s.Close())
		}
		if subject == "alice" && err != nil || subject == "expired" && !errors.Is(err, streamer.ErrDenied) {
			t.Errorf("%s: %v", subject, err)
		}
	}
	if n := len(asked); n < 4 { // the Streamer's own connection, the producer's, the consumer's, and the one refused
		t.Errorf("the program was asked for a token %d times", n)
	}
}

// A password that was changed is found in the file at the next connection. What
// waits for it meanwhile continues; a member that opens does not wait.
func TestAPasswordThatChangesIsReadAgain(t *testing.T) {
	const next = "even m0re s3cret"
	f := besiege(t)
	if f == nil {
		return
	}
	var told atomic.Int64
	s, err := streamer.ConnectWith(f.ctx(), f.at(testservers.ListenSASL, "alice", "sasl=scram-sha-512", "password_file="+f.password),
		streamer.StreamerOptions{Hooks: streamer.Hooks{Retrying: func(e streamer.RetryEvent) {
			if errors.Is(e.Err, streamer.ErrDenied) {
				told.Add(1)
			}
		}}})
	f.must(err)
	defer s.Close()
	changed, err := f.adm.AlterUserSCRAMs(f.ctx(), nil, []kadm.UpsertSCRAM{{User: "alice", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: next}})
	f.must(errors.Join(err, changed.Error()))
	f.until("the old password to be refused", func() bool {
		_, err := s.Consumer(f.ctx(), streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: uuid.NewString()})
		return errors.Is(err, streamer.ErrDenied)
	})
	told.Store(0)
	p, err := s.Producer(f.ctx(), streamer.ProducerOptions{})
	f.must(err)
	receipt := p.Send(f.ctx(), streamer.Record{Value: []byte("two desks")})
	select {
	case <-receipt.Done():
		_, err := receipt.Wait(f.ctx())
		t.Fatalf("a record was not kept for another password: %v", err)
	case <-time.After(2 * quick):
	}
	f.until("the producer to tell why", func() bool { return told.Load() > 0 })
	f.must(os.WriteFile(f.password, []byte(next+"\n"), 0o600))
	_, err = receipt.Wait(f.ctx())
	f.must(err)
	f.must(thereAndBack(f.ctx(), s, f.topic))
}

// silent is a port that accepts connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestAMistakeAtARealBrokerIsATypedErrorThatSaysWhich(t *testing.T) {
	t.Parallel()
	f := besiege(t)
	if f == nil {
		return
	}
	_, certFile, keyFile := certificate(t)
	for _, m := range []mistake{
		{"PLAIN, wrong password", f.at(testservers.ListenSASL, "alice:wrong"), streamer.ErrDenied, "password"},
		{"SCRAM, wrong password", f.at(testservers.ListenSASL, "alice:wrong", "sasl=scram-sha-512"), streamer.ErrDenied, "password"},
		{"SCRAM, no such user", f.at(testservers.ListenSASL, "bob:"+secret, "sasl=scram-sha-256"), streamer.ErrDenied, "username"},
		{"PLAIN over TLS, wrong password", f.at(testservers.ListenSASLTLS, "alice:wrong", f.trust()), streamer.ErrDenied, "password"},
		{"a mechanism that is off", f.at(testservers.ListenSASLTLS, "alice:"+secret, "sasl=scram-sha-256", f.trust()), streamer.ErrInvalid, "sasl="},
		{"no credentials", f.at(testservers.ListenSASL, ""), streamer.ErrInvalid, "sasl="},
		{"credentials where none are asked for", "kafka://alice:" + secret + "@" + f.Addr() + "/x", streamer.ErrInvalid, "leave the credentials out"},
		{"TLS to plain text", "kafka://" + f.Addr() + "/x?tls=true", streamer.ErrInvalid, "tls="},
		{"TLS to plain text with SASL", f.at(testservers.ListenSASL, "alice:"+secret, "tls=true"), streamer.ErrInvalid, "tls="},
		{"plain text to TLS", f.at(testservers.ListenTLS, ""), streamer.ErrInvalid, "tls="},
		{"SASL in plain text to TLS", f.at(testservers.ListenSASLTLS, "alice:"+secret), streamer.ErrInvalid, "tls="},
		{"an authority that nobody knows", f.at(testservers.ListenTLS, "", "tls=true"), streamer.ErrInvalid, "tls_ca="},
		{"another authority", f.at(testservers.ListenTLS, "", "tls_ca="+certFile), streamer.ErrInvalid, "tls_ca="},
		{"no certificate", f.at(testservers.ListenTLS, "", "tls_ca="+f.certificates.CA), streamer.ErrDenied, "tls_cert="},
		{"a certificate of another authority", f.at(testservers.ListenTLS, "", "tls_ca="+f.certificates.CA, "tls_cert="+certFile, "tls_key="+keyFile), streamer.ErrDenied, "tls_cert="},
		{"a closed port", "kafka://" + closedPort(t) + "/x", nil, "nothing listens"},
		{"somebody who says nothing", "kafka://" + silent(t) + "/x", nil, "no answer"},
		{"somebody who says nothing, TLS", "kafka://" + silent(t) + "/x?tls=true", nil, "tls="},
	} {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.check(t)
		})
	}
}
