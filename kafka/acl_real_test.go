package kafka_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
)

// guarded is a broker on which alice may do nothing but what a case grants her.
type guarded struct {
	*rig
	sasl string
}

func guard(t *testing.T) *guarded {
	t.Helper()
	c := testservers.StartKafka(t, testservers.KafkaOptions{
		Users:      map[string]string{"alice": secret},
		Authorizer: true,
		Properties: []string{"allow.everyone.if.no.acl.found=false", "super.users=User:ANONYMOUS"},
	})
	if c == nil {
		return nil
	}
	g := &guarded{rig: &rig{TB: t, brokers: c.Addrs()}, sasl: c.Nodes[0].At(testservers.ListenSASL)}
	g.prepare(1, nil)
	return g
}

// rights are operations on a case's topic and on the group of the same name.
type rights struct{ topic, group []kadm.ACLOperation }

// grant gives alice rights on a topic, on the group of the same name, and on
// those whose names begin with it.
func (g *guarded) grant(topic string, r rights) {
	g.Helper()
	var acls []*kadm.ACLBuilder
	if len(r.topic) > 0 {
		acls = append(acls, kadm.NewACLs().Topics(topic).Operations(r.topic...))
	}
	if len(r.group) > 0 {
		acls = append(acls, kadm.NewACLs().Groups(topic).Operations(r.group...))
	}
	for _, acl := range acls {
		made, err := g.adm.CreateACLs(g.ctx(), acl.ResourcePatternType(kadm.ACLPatternPrefixed).Allow("User:alice").AllowHosts())
		g.must(err)
		for _, m := range made {
			g.must(m.Err)
		}
	}
}

func send(ctx context.Context, s streamer.Streamer, topic string) error {
	p, err := s.Producer(ctx, streamer.ProducerOptions{Stream: topic})
	if err != nil {
		return err
	}
	_, err = p.Send(ctx, streamer.Record{Value: []byte("one lamp")}).Wait(ctx)
	return err
}

// receive opens a consumer and waits for a message.
func receive(mode streamer.ConsumerMode) func(context.Context, streamer.Streamer, string) error {
	return func(ctx context.Context, s streamer.Streamer, topic string) error {
		o := streamer.ConsumerOptions{Streams: []string{topic}, Mode: mode, AutoReset: streamer.Earliest}
		if mode != streamer.RealTime {
			o.Group = topic
		}
		c, err := s.Consumer(ctx, o)
		if err != nil {
			return err
		}
		_, err = c.Next(ctx)
		return err
	}
}

func TestWhatIsNotPermittedIsDeniedAndSaysWhatIsMissing(t *testing.T) {
	g := guard(t)
	if g == nil {
		return
	}
	describe, read := []kadm.ACLOperation{kadm.OpDescribe}, []kadm.ACLOperation{kadm.OpRead}
	for _, c := range []struct {
		name   string
		has    rights
		create streamer.Create
		do     func(context.Context, streamer.Streamer, string) error
		words  string
	}{
		{"send without any", rights{}, 0, send, "Write"},
		{"send without Write", rights{topic: describe}, 0, send, "Write"},
		{"RealTime without any", rights{}, 0, receive(streamer.RealTime), "Read"},
		{"RealTime without Read", rights{topic: describe}, 0, receive(streamer.RealTime), "Read"},
		{"Resumable without Read of the topic", rights{topic: describe, group: read}, 0, receive(streamer.Resumable), "Read"},
		{"Resumable without the group", rights{topic: read}, 0, receive(streamer.Resumable), "group"},
		{"Resumable without Read of the group", rights{topic: read, group: describe}, 0, receive(streamer.Resumable), "group"},
		{"LoadBalanced without Read of the topic", rights{topic: describe, group: read}, 0, receive(streamer.LoadBalanced), "Read"},
		{"LoadBalanced without the group", rights{topic: read}, 0, receive(streamer.LoadBalanced), "group"},
		{"LoadBalanced without Read of the group", rights{topic: read, group: describe}, 0, receive(streamer.LoadBalanced), "group"},
		{"create=always without any", rights{}, streamer.CreateAlways, func(ctx context.Context, s streamer.Streamer, topic string) error {
			return send(ctx, s, topic+"-new")
		}, "Create"},
		{"Create without Describe", rights{topic: []kadm.ACLOperation{kadm.OpCreate}}, 0, func(ctx context.Context, s streamer.Streamer, topic string) error {
			return s.Admin().Create(ctx, topic+"-new", 1)
		}, "Describe"},
		{"Create without any", rights{}, 0, func(ctx context.Context, s streamer.Streamer, topic string) error {
			return s.Admin().Create(ctx, topic+"-new", 1)
		}, "Create"},
		{"Delete without Delete", rights{topic: describe}, 0, func(ctx context.Context, s streamer.Streamer, topic string) error {
			return s.Admin().Delete(ctx, topic)
		}, "Delete"},
		{"DeleteGroup without Read of the group", rights{topic: read}, 0, func(ctx context.Context, s streamer.Streamer, topic string) error {
			return s.Admin().DeleteGroup(ctx, topic, topic)
		}, "group"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &guarded{rig: &rig{TB: t, brokers: g.brokers}, sasl: g.sasl}
			r.prepare(1, nil)
			r.grant(r.topic, c.has)
			s, err := kafka.Connect(r.ctx(), kafka.Config{Brokers: []string{g.sasl}, Username: "alice", Password: secret, Create: c.create, Shards: 1}, streamer.StreamerOptions{})
			r.must(err)
			defer s.Close()
			err = c.do(r.ctx(), s, r.topic)
			t.Log(err)
			if !errors.Is(err, streamer.ErrDenied) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("the error is %v, want %v that says %s", err, streamer.ErrDenied, c.words)
			}
		})
	}
}
