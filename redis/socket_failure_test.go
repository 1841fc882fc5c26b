package redis_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/testservers"
	"github.com/gostreamer/streamer/internal/trials"
	"github.com/gostreamer/streamer/redis"
)

// socketDir is a directory whose name is short enough for a socket's.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "socket") //nolint:usetesting // a test's own has a longer name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestAServerOnAUnixSocketIsAsAnyOther: each mode, a producer, another
// database, a password, and a restart of the server under them.
func TestAServerOnAUnixSocketIsAsAnyOther(t *testing.T) {
	trials.EachMode(t, func(t *trials.Trial, mode streamer.ConsumerMode) {
		socket := filepath.Join(socketDir(t.T), "redis.sock")
		server := testservers.StartRedis(t.T, testservers.RedisOptions{AOF: true, Password: secret, Config: []string{"unixsocket " + socket}})
		if server == nil {
			return
		}
		s := t.Connect(fmt.Sprintf("redis+unix://:%s@%s/orders?create=always&db=0&block=1s", secret, socket))
		in := t.Take(t.Consumer(s, trials.Reader(mode)))
		f := t.Flow(t.Producer(s), trials.Steady)
		in.Proceeds(100)
		server.Kill()
		server.Restart()
		f.Proceeds(1)
		in.Proceeds(100)
		f.Stop()
		t.Settle(f, in, entries(t, server, "orders"), false)
		other := t.Connect(fmt.Sprintf("redis+unix://:%s@%s/orders?db=3", secret, socket))
		_, err := t.Producer(other).Send(t.Ctx, streamer.Record{Value: []byte("7")}).Wait(t.Ctx)
		t.Must("Send", err)
		t.Next(t.Consumer(other, trials.Reader(mode)), 7)
	})
}

// TestASocketThatLeadsNowhereIsToldWithARemedy: none, one that this user may
// not use, one of a cluster's node; from Config as from a URI.
func TestASocketThatLeadsNowhereIsToldWithARemedy(t *testing.T) {
	trial := trials.New(t)
	dir := socketDir(t)
	missing, node := filepath.Join(dir, "missing.sock"), filepath.Join(dir, "node.sock")
	c := testservers.StartRedisCluster(t, testservers.ClusterOptions{Masters: 1, Server: testservers.RedisOptions{Config: []string{"unixsocket " + node}}})
	if c == nil {
		return
	}
	begin := time.Now()
	mustBe(t, attempt(trial, "redis+unix://"+missing+"/orders", nil), streamer.ErrNotFound, "unixsocket")
	mustBe(t, attempt(trial, "redis+unix://"+node+"/orders", nil), streamer.ErrInvalid, "redis://")
	_, err := redis.Connect(trial.Ctx, redis.Config{Addrs: []string{missing}}, streamer.StreamerOptions{})
	mustBe(t, err, streamer.ErrNotFound, missing)
	_, err = redis.Connect(trial.Ctx, redis.Config{Addrs: []string{missing, "localhost"}}, streamer.StreamerOptions{})
	mustBe(t, err, streamer.ErrInvalid, "one server")
	t.Logf("all within %v", time.Since(begin).Round(time.Millisecond))
}

// TestASocketThatIsNoServersIsToldWithARemedy: no process listens on it any
// more, or what does closes each connection, or is a web server.
func TestASocketThatIsNoServersIsToldWithARemedy(t *testing.T) {
	trial := trials.New(t)
	dir := socketDir(t)
	listen := func(name string) (string, *net.UnixListener) {
		path := filepath.Join(dir, name+".sock")
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return path, l
	}
	left, dead := listen("left")
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	closes, hasty := listen("closes")
	go func() { // ends with the listener
		for {
			c, err := hasty.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	page, web := listen("page")
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	_ = server.Listener.Close()
	server.Listener = web
	server.Start()
	defer server.Close()
	mustBe(t, attempt(trial, "redis+unix://"+closes+"/orders", nil), streamer.ErrInvalid, "unixsocket")
	mustBe(t, attempt(trial, "redis+unix://"+page+"/orders", nil), streamer.ErrInvalid, "speaks HTTP")
	if err := attempt(trial, "redis+unix://"+left+"/orders", nil); !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "unixsocket") {
		t.Errorf("of a socket that no process listens on: %v", err)
	}
}
