package docs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
)

// The users of docs/redis.md are made on a real server and do what the page
// says they can. The server keeps a log of what it did not permit: it has to
// stay empty.
func TestTheUsersOfTheRedisPageHaveTheRightsTheyNeed(t *testing.T) {
	users, more := recipes(t)
	t.Run("server", func(t *testing.T) {
		s := testservers.StartRedis(t, testservers.RedisOptions{})
		if s != nil {
			admit(t, users, "", s)
			work(t, []string{"shards=none", "shards=2"}, s)
			nothingWasRefused(t, s)
		}
	})
	t.Run("cluster", func(t *testing.T) {
		c := testservers.StartRedisCluster(t, testservers.ClusterOptions{})
		if c != nil {
			admit(t, users, more, c.Nodes...)
			work(t, []string{"shards=none", "shards=2"}, c.Nodes...)
			nothingWasRefused(t, c.Nodes...)
		}
	})
}

// The rights for which the page names a substitute are not needed for the same
// work.
func TestRightsOfTheRedisPageThatHaveASubstitute(t *testing.T) {
	users, _ := recipes(t)
	s := testservers.StartRedis(t, testservers.RedisOptions{})
	if s == nil {
		return
	}
	for name := range users {
		for _, right := range []string{" +client|info", " +client|id", " +client|unblock", " +client|kill", " +eval", " +evalsha", " +eval_ro", " +evalsha_ro"} {
			users[name] = strings.ReplaceAll(users[name]+" ", right+" ", " ")
		}
	}
	users["producer"] = strings.ReplaceAll(users["producer"], " +xinfo|groups", "")
	admit(t, users, "", s)
	work(t, []string{"shards=none", "shards=2", "shards=auto"}, s)
	if len(s.Do("ACL", "LOG").([]any)) == 0 {
		t.Error("nothing was refused: the rights were not taken away")
	}
}

// recipes are the page's lines of an ACL file, by user, and what a cluster's
// users need beside them.
func recipes(t *testing.T) (users map[string]string, more string) {
	t.Helper()
	users = map[string]string{}
	for _, block := range fenced(pages(t)["docs/redis.md"], "acl") {
		for line := range strings.Lines(block) {
			if rest, ok := strings.CutPrefix(line, "user "); ok {
				name, rules, _ := strings.Cut(rest, " ")
				users[name] = rules
			} else if strings.HasPrefix(line, "+") {
				more = line
			}
		}
	}
	if len(users) == 0 || more == "" {
		t.Fatalf("docs/redis.md has users %v, and for clusters %q", users, more)
	}
	return users, more
}

// admit makes the users, with more rights, on every node.
func admit(t *testing.T, users map[string]string, more string, nodes ...*testservers.RedisServer) {
	t.Helper()
	for _, n := range nodes {
		for name, rules := range users {
			n.Do(slices.Concat([]string{"ACL", "SETUSER", name}, strings.Fields(rules), strings.Fields(more))...)
		}
	}
}

// work has each user do what it is for, with each layout of shards.
func work(t *testing.T, layouts []string, nodes ...*testservers.RedisServer) {
	t.Helper()
	hosts := make([]string, len(nodes))
	for i, n := range nodes {
		hosts[i] = n.Addr()
	}
	for _, layout := range layouts {
		p := &party{T: t, hosts: strings.Join(hosts, ","), layout: layout}
		p.produce()
		p.read()
		p.share()
		p.resume()
		p.operate()
	}
}

func nothingWasRefused(t *testing.T, nodes ...*testservers.RedisServer) {
	t.Helper()
	for _, n := range nodes {
		for _, entry := range n.Do("ACL", "LOG").([]any) {
			t.Errorf("the server did not permit %v", entry)
		}
	}
}

// party is the page's users on one server, or cluster.
type party struct {
	*testing.T
	hosts, layout string
}

func (p *party) as(user string, options ...string) streamer.Streamer {
	p.Helper()
	uri := fmt.Sprintf("redis://%s:secret@%s/orders?%s", user, p.hosts, strings.Join(append(options, p.layout), "&"))
	s, err := streamer.Connect(p.Context(), uri)
	p.must(err)
	p.Cleanup(func() { _ = s.Close() })
	return s
}

func (p *party) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *party) produce() {
	s := p.as("producer", "maxlen=1000", "maxage=1h")
	producer, err := s.Producer(p.Context(), streamer.ProducerOptions{})
	p.must(err)
	for range 20 {
		producer.Send(p.Context(), streamer.Record{Value: []byte("one lamp")})
	}
	p.must(producer.Flush(p.Context()))
	p.must(s.Close())
}

// consume takes n messages, acknowledges them if it may, and asks after the
// first one how much there is.
func (p *party) consume(c streamer.Consumer, n int, ack bool) {
	p.Helper()
	for i := range n {
		m, err := c.Next(p.Context())
		p.must(err)
		if ack {
			m.Ack()
		}
		if i == 0 {
			_, err := c.Lag(p.Context())
			p.must(err)
		}
	}
}

func (p *party) waitsInVain(c streamer.Consumer) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), 20*time.Millisecond)
	defer cancel()
	if m, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		p.Fatalf("Next: %v, %v", m, err)
	}
}

func (p *party) read() {
	c, err := p.as("reader", "prefetch=1").Consumer(p.Context(), streamer.ConsumerOptions{AutoReset: streamer.Earliest})
	p.must(err)
	p.consume(c, 20, false)
	p.waitsInVain(c)
	p.must(c.Seek(p.Context(), time.Now().Add(-time.Hour)))
	p.consume(c, 20, false)
	p.must(c.Close())
}

// share has two members; one leaves with messages in hand, one keeps its own
// for longer than claim_idle, the group vanishes.
func (p *party) share() {
	s := p.as("worker", "claim_idle=50ms", "claim_interval=20ms", "create=always", "commit=10ms")
	o := streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: "billing", AutoReset: streamer.Earliest}
	first, err := s.Consumer(p.Context(), o)
	p.must(err)
	p.consume(first, 5, false)
	second, err := s.Consumer(p.Context(), o)
	p.must(err)
	p.must(first.Close())
	p.consume(second, 20, true)
	p.must(second.Commit(p.Context()))
	p.waitsInVain(second)
	p.must(second.Rewind(p.Context(), streamer.Beginning()))
	p.consume(second, 20, true)
	p.must(second.Rewind(p.Context(), streamer.Committed()))
	p.must(s.Close())
}

func (p *party) resume() {
	s := p.as("worker", "create=always")
	c, err := s.Consumer(p.Context(), streamer.ConsumerOptions{Mode: streamer.Resumable, Group: "ledger", AutoReset: streamer.Earliest})
	p.must(err)
	p.consume(c, 20, true)
	p.must(c.Rewind(p.Context(), streamer.Beginning()))
	p.consume(c, 20, false)
	p.must(s.Close())
}

// operate finds the messages pending that resume left.
func (p *party) operate() {
	s := p.as("operator")
	admin, ctx := s.Admin(), p.Context()
	_, err := admin.Describe(ctx, "orders")
	p.must(err)
	_, err = admin.Groups(ctx, "orders")
	p.must(err)
	_, err = admin.Streams(ctx, "ord")
	p.must(err)
	p.must(admin.ResetGroup(ctx, "orders", "ledger", streamer.Beginning()))
	p.must(admin.DeleteGroup(ctx, "orders", "ledger"))
	p.must(admin.Delete(ctx, "orders"))
	shards := 1
	if p.layout == "shards=2" {
		shards = 2
	}
	p.must(admin.Create(ctx, "orders", shards))
	p.must(admin.Delete(ctx, "orders"))
	p.must(s.Close())
}

// The page's options of TLS, on servers that speak nothing else, one of which
// wants to see a certificate.
func TestTheTLSOptionsOfTheRedisPage(t *testing.T) {
	for _, c := range []struct {
		name    string
		mode    testservers.TLS
		options func(*testservers.Certificates) []string
		says    string // "": it works
	}{
		{"authority", testservers.ServerOnly, authority, ""},
		{"no authority", testservers.ServerOnly, func(*testservers.Certificates) []string { return nil }, "x509"},
		{"another name", testservers.ServerOnly, func(c *testservers.Certificates) []string {
			return append(authority(c), "tls_server_name=elsewhere")
		}, "elsewhere"},
		{"the name it has", testservers.ServerOnly, func(c *testservers.Certificates) []string {
			return append(authority(c), "tls_server_name=localhost")
		}, ""},
		{"certificate", testservers.Mutual, func(c *testservers.Certificates) []string {
			return append(authority(c), "tls_cert="+c.Cert, "tls_key="+c.Key)
		}, ""},
		{"no certificate", testservers.Mutual, authority, anything}, // "certificate required", which the end of the connection may overtake
	} {
		t.Run(c.name, func(t *testing.T) {
			server := testservers.StartRedis(t, testservers.RedisOptions{TLS: c.mode})
			if server == nil {
				return
			}
			s, err := streamer.Connect(t.Context(), "rediss://"+server.Addr()+"/orders?"+strings.Join(c.options(server.Certificates), "&"))
			if err == nil {
				err = errors.Join(thereAndBack(t.Context(), s), s.Close())
			}
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %q", err, c.says)
			}
		})
	}
}

func authority(c *testservers.Certificates) []string { return []string{"tls_ca=" + c.CA} }

// anything is in every error.
const anything = " "

// thereAndBack sends a record, takes it as a member of a group, and waits for
// another in vain.
func thereAndBack(ctx context.Context, s streamer.Streamer) error {
	p, err := s.Producer(ctx, streamer.ProducerOptions{})
	if err != nil {
		return err
	}
	if _, err := p.Send(ctx, streamer.Record{Value: []byte("one lamp")}).Wait(ctx); err != nil {
		return err
	}
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{Mode: streamer.LoadBalanced, Group: "billing", AutoReset: streamer.Earliest})
	if err != nil {
		return err
	}
	if _, err := c.Next(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if m, err := c.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("one message too many: %v, %w", m, err)
	}
	return nil
}
