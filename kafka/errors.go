package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/gostreamer/streamer"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kinds are the sentinels of Kafka's error codes. What is not here has no kind.
var kinds = map[*kerr.Error]error{
	kerr.UnknownTopicOrPartition: streamer.ErrNotFound,
	kerr.UnknownTopicID:          streamer.ErrNotFound,
	kerr.InconsistentTopicID:     streamer.ErrNotFound,
	kerr.GroupIDNotFound:         streamer.ErrNotFound,
	kerr.TopicAlreadyExists:      streamer.ErrExists,

	kerr.TopicAuthorizationFailed:           streamer.ErrDenied,
	kerr.GroupAuthorizationFailed:           streamer.ErrDenied,
	kerr.ClusterAuthorizationFailed:         streamer.ErrDenied,
	kerr.TransactionalIDAuthorizationFailed: streamer.ErrDenied,
	kerr.SaslAuthenticationFailed:           streamer.ErrDenied,

	kerr.MessageTooLarge:    streamer.ErrTooLarge,
	kerr.RecordListTooLarge: streamer.ErrTooLarge,

	kerr.InvalidTopicException:     streamer.ErrInvalid,
	kerr.InvalidTimestamp:          streamer.ErrUnsupported,
	kerr.InvalidRecord:             streamer.ErrInvalid,
	kerr.InvalidPartitions:         streamer.ErrInvalid,
	kerr.InvalidReplicationFactor:  streamer.ErrInvalid,
	kerr.InvalidConfig:             streamer.ErrInvalid,
	kerr.InvalidRequest:            streamer.ErrInvalid,
	kerr.InvalidGroupID:            streamer.ErrInvalid,
	kerr.InvalidSessionTimeout:     streamer.ErrInvalid,
	kerr.PolicyViolation:           streamer.ErrInvalid,
	kerr.IllegalSaslState:          streamer.ErrInvalid,
	kerr.UnsupportedSaslMechanism:  streamer.ErrInvalid,
	kerr.InconsistentGroupProtocol: streamer.ErrInvalid,

	kerr.NonEmptyGroup:          streamer.ErrBusy,
	kerr.GroupSubscribedToTopic: streamer.ErrBusy,
	kerr.FencedInstanceID:       streamer.ErrFenced,
	kerr.UnsupportedVersion:     streamer.ErrUnsupported,

	kerr.UnsupportedCompressionType:  streamer.ErrUnsupported,
	kerr.UnsupportedForMessageFormat: streamer.ErrUnsupported,

	kerr.ThrottlingQuotaExceeded: streamer.ErrThrottled,
	kerr.OffsetOutOfRange:        streamer.ErrPositionGone,
}

// hints say what to do about an error code, where Kafka's own text does not.
var hints = map[*kerr.Error]string{
	kerr.SaslAuthenticationFailed:   "check the username, the password or token, and sasl=",
	kerr.IllegalSaslState:           "the port speaks no SASL: leave the credentials out, or use another port",
	kerr.UnsupportedSaslMechanism:   "the broker does not have this sasl= mechanism enabled",
	kerr.TopicAuthorizationFailed:   "rights on the topic: Write to send, Read to receive, Create with Describe to create it, Delete to delete it",
	kerr.GroupAuthorizationFailed:   "rights on the group: Read for its consumers, Delete to delete it",
	kerr.ClusterAuthorizationFailed: "to send needs the right Write on the topic, or IdempotentWrite on the cluster",
	kerr.InconsistentGroupProtocol:  "the group's members share their shards in another way: see balancers=",
	kerr.InvalidSessionTimeout:      "session_timeout= is outside of the broker's group.min.session.timeout.ms and group.max.session.timeout.ms",
	kerr.InvalidTopicException:      "a name has 1 to 249 of A-Z a-z 0-9 . _ - and differs from others in more than . and _",
}

// explain types an error of the client. The end of ctx is returned
// bare.
func (b *backend) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if b.closed.Load() { // its client was closed under the call
		return fmt.Errorf("%w: %w", streamer.ErrClosed, err)
	}
	return typed(err)
}

// typed gives err its kind, and says what to do where that can be said.
func typed(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*streamer.Error](err); ok {
		return err
	}
	if code, ok := errors.AsType[*kerr.Error](err); ok {
		if hint := hints[code]; hint != "" {
			err = fmt.Errorf("%w (%s)", err, hint)
		}
		return &streamer.Error{Kind: kinds[code], Err: err}
	}
	hint, kind := network(err)
	if hint != "" {
		err = fmt.Errorf("%w (%s)", err, hint)
	}
	return &streamer.Error{Kind: kind, Err: err}
}

// tlsAlert is the Op of a [net.OpError] with which crypto/tls reports what the
// other side says.
const tlsAlert = "remote error"

// network is a hint, and the kind, of what is wrong before a broker has said
// anything in Kafka's protocol.
func network(err error) (hint string, kind error) {
	if errors.Is(err, kgo.ErrClientClosed) {
		return "", streamer.ErrClosed
	}
	if _, ok := errors.AsType[*kgo.ErrFirstReadEOF](err); ok {
		return "check tls=, sasl= and the port", streamer.ErrInvalid
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the broker's certificate is not trusted under this name: check tls_ca= and the host", streamer.ErrInvalid
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the broker's certificate is not trusted: check tls_ca=", streamer.ErrInvalid
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the port does not speak TLS: check tls= and the port", streamer.ErrInvalid
	}
	if alert, ok := errors.AsType[*net.OpError](err); ok && alert.Op == tlsAlert {
		return "the broker refuses the certificate, or wants one: check tls_cert= and tls_key=", streamer.ErrDenied
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return "no such host", streamer.ErrInvalid
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "nothing listens there: check the host and the port", nil
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return "no answer: check the host, the port and the network", nil
	}
	return worded(err)
}

// suspect says what in c may be behind a connection that ends, or starts,
// without a word.
func (c *Config) suspect(err error) error {
	secure := c.TLS != nil || c.CAFile != "" || c.CertFile != ""
	reset := errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch _, first := errors.AsType[*kgo.ErrFirstReadEOF](err); {
	case first:
	case reset && secure && strings.Contains(err.Error(), "unable to dial"):
		return &streamer.Error{Kind: streamer.ErrInvalid, Err: fmt.Errorf("the port does not speak TLS, or does not like ours: check tls= and the port: %w", err)}
	case reset && c.SASL != noSASL:
		return &streamer.Error{Kind: streamer.ErrDenied, Err: fmt.Errorf("the connection was closed while authenticating: check the username, the password and sasl=: %w", err)}
	case reset && secure:
		return &streamer.Error{Kind: streamer.ErrDenied, Err: fmt.Errorf("the connection was closed behind the handshake: check tls_cert= and tls_key=: %w", err)}
	case reset:
		return &streamer.Error{Kind: streamer.ErrInvalid, Err: fmt.Errorf("the port closes the connection: check tls=, sasl= and the port: %w", err)}
	case secure && (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)):
		return fmt.Errorf("%w (does the port speak TLS? check tls=)", err)
	}
	return err
}

// isNetwork says that the way to the broker is broken: a later try may succeed.
func isNetwork(err error) bool {
	if kgo.IsRetryableBrokerErr(err) {
		return true
	}
	_, ok := errors.AsType[net.Error](err)
	return ok || errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded)
}

// worded recognises by the client's words what it has no types for: a token
// that is refused, and answers that are not Kafka's.
func worded(err error) (hint string, kind error) {
	text := err.Error()
	if strings.Contains(text, "unexpected data in oauth response") {
		return "the broker does not take the token", streamer.ErrDenied
	}
	for _, words := range [...]string{"invalid large response", "correlation ID mismatch", "not enough data", "invalid response size", "unable to parse"} {
		if strings.Contains(text, words) {
			return "what answers there is no Kafka broker, or speaks TLS: check the port and tls=", streamer.ErrInvalid
		}
	}
	return "", nil
}

// onShard says which shard an error is about.
func onShard(at streamer.StreamShard, err error) error {
	e := &streamer.Error{Stream: at.Stream, Shard: &at.Shard, Err: err}
	if inner, ok := typed(err).(*streamer.Error); ok { //nolint:errorlint // typed made it
		e.Kind, e.Err = inner.Kind, inner.Err
	}
	return e
}

// unkind takes the kind from an error that says it too early.
func unkind(err error) error {
	e, ok := errors.AsType[*streamer.Error](err)
	if !ok {
		return err
	}
	bare := *e
	bare.Kind = nil
	return &bare
}

// onStream says which stream an error is about.
func onStream(stream string, err error) error {
	e := &streamer.Error{Stream: stream, Err: err}
	if inner, ok := typed(err).(*streamer.Error); ok { //nolint:errorlint // typed made it
		e.Kind, e.Err = inner.Kind, inner.Err
	}
	return e
}

// What to do about a topic that is not there, or is.
var (
	errNoTopicToRead  = errors.New("a consumer makes no topic: create it with Admin.Create, or connect with create=always")
	errNoTopicToWrite = errors.New("a producer makes no topic unless it is asked to: create it with Admin.Create, or connect with create=always")
	errCreateNever    = errors.New("create=never: create it with Admin.Create, or connect with create=always")
	errCreateNew      = errors.New("create=new makes a topic that does not exist: name another, or leave that option out")
)

// hinted adds what to do to the error of a topic that does not exist.
func hinted(stream string, err, hint error) error {
	if !errors.Is(err, streamer.ErrNotFound) {
		return err
	}
	return &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound, Err: fmt.Errorf("topic %q does not exist: %w", stream, hint)}
}

func notFound(stream string) error {
	return &streamer.Error{Stream: stream, Kind: streamer.ErrNotFound, Err: fmt.Errorf("topic %q does not exist", stream)}
}
