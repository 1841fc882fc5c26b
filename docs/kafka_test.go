package docs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	_ "github.com/gostreamer/streamer/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
)

// The users of docs/kafka.md are made on a real broker on which nothing else is
// permitted, and do what the page says they can.
func TestTheUsersOfTheKafkaPageHaveTheRightsTheyNeed(t *testing.T) {
	acls, passwords := kafkaRecipes(t)
	c := testservers.StartKafka(t, testservers.KafkaOptions{
		Users:      passwords,
		Authorizer: true,
		Properties: []string{"allow.everyone.if.no.acl.found=false", "super.users=User:ANONYMOUS"},
	})
	if c == nil {
		return
	}
	s := &staff{T: t, addr: c.Nodes[0].At(testservers.ListenSASL)}
	adm := kadm.NewClient(c.Client())
	for _, acl := range acls {
		made, err := adm.CreateACLs(t.Context(), acl.ResourcePatternType(kadm.ACLPatternLiteral).AllowHosts())
		s.must(err)
		for _, m := range made {
			s.must(m.Err)
		}
	}
	s.found()
	s.produce()
	s.read()
	s.share()
	s.resume()
	s.operate()
}

// kafkaRecipes are the page's arguments of kafka-acls.sh, a line each, and a
// password for every user that they name.
func kafkaRecipes(t *testing.T) (acls []*kadm.ACLBuilder, passwords map[string]string) {
	t.Helper()
	passwords = map[string]string{}
	for _, block := range fenced(pages(t)["docs/kafka.md"], "acl") {
		for line := range strings.Lines(block) {
			acl := kadm.NewACLs()
			var operations []kadm.ACLOperation
			for words := strings.Fields(line); len(words) > 1; words = words[2:] {
				switch option, value := words[0], words[1]; option {
				case "--allow-principal":
					acl.Allow(value)
					passwords[strings.TrimPrefix(value, "User:")] = "secret"
				case "--operation":
					var o kadm.ACLOperation
					if err := o.UnmarshalText([]byte(value)); err != nil {
						t.Fatalf("%s: %v", line, err)
					}
					operations = append(operations, o)
				case "--topic":
					acl.Topics(value)
				case "--group":
					acl.Groups(value)
				default:
					t.Fatalf("%s: what is %s", line, option)
				}
			}
			acls = append(acls, acl.Operations(operations...))
		}
	}
	if len(acls) == 0 {
		t.Fatal("docs/kafka.md has no users")
	}
	return acls, passwords
}

// staff are the page's users on one broker.
type staff struct {
	*testing.T
	addr string
}

func (s *staff) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *staff) as(user string, options ...string) streamer.Streamer {
	s.Helper()
	all, err := streamer.Connect(s.Context(), fmt.Sprintf("kafka://%s:secret@%s/orders?%s", user, s.addr, strings.Join(options, "&")))
	s.must(err)
	s.Cleanup(func() { _ = all.Close() })
	return all
}

func (s *staff) send(as streamer.Streamer, n int) {
	s.Helper()
	p, err := as.Producer(s.Context(), streamer.ProducerOptions{})
	s.must(err)
	for range n {
		p.Send(s.Context(), streamer.Record{Value: []byte("one lamp")})
	}
	s.must(p.Flush(s.Context()))
	s.must(as.Close())
}

func (s *staff) found()   { s.send(s.as("founder", "create=always", "shards=2"), 1) }
func (s *staff) produce() { s.send(s.as("producer"), 19) }

// take takes and acknowledges n messages, and asks how many there are.
func (s *staff) take(c streamer.Consumer, n int) {
	s.Helper()
	for range n {
		m, err := c.Next(s.Context())
		s.must(err)
		m.Ack()
	}
	_, err := c.Lag(s.Context())
	s.must(err)
}

func (s *staff) read() {
	c, err := s.as("reader").Consumer(s.Context(), streamer.ConsumerOptions{AutoReset: streamer.Earliest})
	s.must(err)
	s.take(c, 20)
	s.must(c.Rewind(s.Context(), streamer.Beginning()))
	s.take(c, 20)
	s.must(c.Close())
}

// share has a member do part of the work, and another one the rest.
func (s *staff) share() {
	all := s.as("worker")
	o := streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: "billing", AutoReset: streamer.Earliest}
	for _, n := range []int{5, 15} {
		c, err := all.Consumer(s.Context(), o)
		s.must(err)
		s.take(c, n)
		s.must(c.Commit(s.Context()))
		s.must(c.Close())
	}
	s.must(all.Close())
}

func (s *staff) resume() {
	all := s.as("worker")
	c, err := all.Consumer(s.Context(), streamer.ConsumerOptions{Mode: streamer.Resumable, Group: "billing"})
	s.must(err)
	s.must(c.Rewind(s.Context(), streamer.Beginning()))
	s.take(c, 20)
	s.must(c.Commit(s.Context()))
	s.must(all.Close())
}

func (s *staff) operate() {
	all := s.as("operator")
	admin, ctx := all.Admin(), context.Background()
	_, err := admin.Describe(ctx, "orders")
	s.must(err)
	groups, err := admin.Groups(ctx, "orders")
	s.must(err)
	streams, err := admin.Streams(ctx, "ord")
	s.must(err)
	if len(groups) != 1 || len(streams) != 1 {
		s.Errorf("groups %v, streams %v", groups, streams)
	}
	s.must(admin.ResetGroup(ctx, "orders", "billing", streamer.Beginning()))
	s.must(admin.DeleteGroup(ctx, "orders", "billing"))
	s.must(admin.Delete(ctx, "orders"))
	s.must(admin.Create(ctx, "orders", 2))
	s.must(all.Close())
}
