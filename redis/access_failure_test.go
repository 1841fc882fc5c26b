package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
)

const secret = "hunter2-and-more"

// guarded starts a server with a user who may use orders, and one who may only
// read it.
func guarded(t *trials.Trial) *testservers.RedisServer {
	t.Helper()
	s := testservers.StartRedis(t.T, testservers.RedisOptions{Password: "owner", Users: []string{
		"app on >" + secret + " ~orders ~orders:* +@stream +@connection -@dangerous",
		"ro on >" + secret + " %R~orders +@read +@connection",
	}})
	if s != nil {
		s.Do("XADD", "orders", "*", "msg", "0")
		s.Do("XADD", "other", "*", "msg", "0")
	}
	return s
}

// attempt does what a program does first, until an error.
func attempt(t *trials.Trial, uri string, o *streamer.ConsumerOptions) error {
	ctx, cancel := context.WithTimeout(t.Ctx, trials.Hang)
	defer cancel()
	s, err := streamer.Connect(ctx, uri)
	if err != nil {
		return err
	}
	defer s.Close()
	if o == nil {
		p, err := s.Producer(ctx, streamer.ProducerOptions{})
		if err != nil {
			return err
		}
		_, err = p.Send(ctx, streamer.Record{Value: []byte("1")}).Wait(ctx)
		return err
	}
	c, err := s.Consumer(ctx, *o)
	if err != nil {
		return err
	}
	_, err = c.Next(ctx)
	return err
}

// TestAccessThatIsDeniedIsOneTypedError: NOAUTH, WRONGPASS, NOPERM and
// WRONGTYPE come at once, as an error of this module, without the password.
func TestAccessThatIsDeniedIsOneTypedError(t *testing.T) {
	trial := trials.New(t)
	server := guarded(trial)
	if server == nil {
		return
	}
	server.Do("SET", "text", "no stream")
	uri := func(user, stream string) string { return fmt.Sprintf("redis://%s%s/%s", user, server.Addr(), stream) }
	app, ro, wrong := "app:"+secret+"@", "ro:"+secret+"@", "app:not-"+secret+"@"
	for _, c := range []struct {
		name, uri, says string
		kind            error
		only            streamer.ConsumerMode // 0: all trials.Modes(), and the producer
		produce         bool
	}{
		{name: "no password", uri: uri("", "orders"), says: "NOAUTH", kind: streamer.ErrDenied, produce: true},
		{name: "wrong password", uri: uri(wrong, "orders"), says: "WRONGPASS", kind: streamer.ErrDenied, produce: true},
		{name: "another key", uri: uri(app, "other"), says: "NOPERM", kind: streamer.ErrDenied, produce: true},
		{name: "read only, producing", uri: uri(ro, "orders"), says: "NOPERM", kind: streamer.ErrDenied, produce: true, only: 99},
		{name: "read only, in a group", uri: uri(ro, "orders"), says: "NOPERM", kind: streamer.ErrDenied, only: streamer.LoadBalanced},
		{name: "not a stream", uri: uri(":owner@", "text"), says: "WRONGTYPE", kind: streamer.ErrInvalid, produce: true},
	} {
		check := func(how string, o *streamer.ConsumerOptions) {
			t.Run(c.name+"/"+how, func(t *testing.T) {
				begin := time.Now()
				err := attempt(trial, c.uri, o)
				t.Logf("after %v: %v", time.Since(begin).Round(time.Millisecond), err)
				mustBe(t, err, c.kind, c.says)
			})
		}
		if c.produce {
			check("producer", nil)
		}
		for name, mode := range trials.Modes() {
			if c.only == 0 || c.only == mode {
				o := trials.Reader(mode)
				check(name, &o)
			}
		}
	}
}

func mustBe(t *testing.T, err, kind error, says string) {
	t.Helper()
	var typed *streamer.Error
	if !errors.Is(err, kind) || !errors.As(err, &typed) || typed.Backend != "redis" {
		t.Errorf("error is %#v, want a *streamer.Error of redis that is %q", err, kind)
	}
	if err != nil && (!strings.Contains(err.Error(), says) || strings.Contains(err.Error(), secret)) {
		t.Errorf("error %q: want it to say %s, and not the password", err, says)
	}
}

// TestTheLeastRightsAreEnough: a user who may only use the stream's keys, and
// nothing dangerous, can do all of it.
func TestTheLeastRightsAreEnough(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		server := guarded(t)
		if server == nil {
			return
		}
		s := t.Connect("redis://app:" + secret + "@" + server.Addr() + "/orders")
		c := t.Consumer(s, trials.Reader(mode))
		in := t.Take(c)
		f := t.Flow(t.Producer(s), trials.Steady)
		in.Proceeds(100)
		f.Stop()
		t.Settle(f, in, entries(t, server, "orders"), false)
		begin := time.Now()
		t.Must("Close", c.Close())
		t.Logf("Close took %v without the right to CLIENT UNBLOCK", time.Since(begin).Round(time.Millisecond))
	})
}

// TestRightsThatAreTakenAway: the user is removed under a consumer and a
// producer; each has one typed error, and neither spins.
func TestRightsThatAreTakenAway(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		server := guarded(t)
		if server == nil {
			return
		}
		s := t.Connect("redis://app:" + secret + "@" + server.Addr() + "/orders?delivery_timeout=10s")
		in := t.Take(t.Consumer(s, trials.Reader(mode)))
		p := t.Producer(s)
		f := t.Flow(p, trials.Steady)
		in.Proceeds(100)
		server.Do("ACL", "DELUSER", "app")
		t.Eventually("the consumer has an error", func() bool { return in.Failed() })
		f.End()
		_, _, err := in.Delivered()
		mustBe(t.T, err, streamer.ErrDenied, "WRONGPASS")
		before := commands(server)
		watch := time.NewTimer(500 * time.Millisecond)
		<-watch.C
		t.Logf("error %v; %d commands within half a second after it", err, commands(server)-before)
		if n := commands(server) - before; n > 100 {
			t.Errorf("%d commands within half a second after access was denied", n)
		}
		_, err = p.Send(t.Ctx, streamer.Record{Value: []byte("-1")}).Wait(t.Ctx)
		mustBe(t.T, err, streamer.ErrDenied, "WRONGPASS")
	})
}

// commands is how many commands a server has processed.
func commands(s *testservers.RedisServer) int {
	info, _ := s.Do("INFO", "stats").(string)
	_, after, _ := strings.Cut(info, "total_commands_processed:")
	n := 0
	_, _ = fmt.Sscan(after, &n)
	return n
}
