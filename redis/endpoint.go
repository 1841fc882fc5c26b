package redis

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/redis/go-redis/v9"
)

// What HELLO says of a server that is not the only one.
const (
	modeCluster  = "cluster"
	modeSentinel = "sentinel"
)

// meet makes the client one that suits what the address leads to: services
// give one address for a whole cluster. It is part of the first Ping, which
// Connect sends before anything else can use the client.
func (b *backend) meet(ctx context.Context) error {
	one, ok := b.client.(*redis.Client)
	if !ok || b.cfg.Sentinel != "" || b.met {
		return nil
	}
	mode, err := modeOf(ctx, one)
	if err != nil {
		return err
	}
	if err := b.cfg.checkMode(mode); err != nil {
		return err
	}
	b.met = true
	if mode != modeCluster {
		return nil
	}
	c := redis.NewClusterClient(b.cfg.clusterOptions())
	b.client = c
	if err := one.Close(); err != nil {
		return err
	}
	err = pingCluster(ctx, c)
	if isUnsent(err) || isLost(err) {
		err = fmt.Errorf("%w: the server is a node of a cluster, whose nodes have to be reachable at the addresses that they announce", err)
	}
	return err
}

// modeOf is what a server says it is, "" where it does not. HELLO takes no
// right; a server without it, or a proxy, may still know the cluster's slots.
func modeOf(ctx context.Context, client *redis.Client) (string, error) {
	reply, err := client.Do(ctx, "hello").Result()
	if err == nil {
		return modeIn(reply), nil
	}
	if code(err) == "" {
		return "", err
	}
	slots, err := client.Do(ctx, "cluster", "slots").Slice()
	switch {
	case err == nil && len(slots) > 0:
		return modeCluster, nil
	case code(err) == "":
		return "", err
	}
	return "", nil
}

// modeIn finds the mode in HELLO's reply, of either protocol.
func modeIn(reply any) string {
	switch fields := reply.(type) {
	case map[any]any:
		mode, _ := fields["mode"].(string)
		return mode
	case []any:
		for i := 0; i+1 < len(fields); i += 2 {
			if fields[i] == "mode" {
				mode, _ := fields[i+1].(string)
				return mode
			}
		}
	}
	return ""
}

var (
	errSentinel     = errors.New("the server is a sentinel: want sentinel=<the master's name>")
	errOneOfCluster = errors.New("Config.Client is a *redis.Client of one node of a cluster: want a *redis.ClusterClient")
	errSocketOfNode = errors.New("the socket is that of a node of a cluster: want redis:// with the address of a node")
	errClusterDB    = errors.New("the server is a node of a cluster, which is used with database 0 alone: want no db=")
)

// checkMode refuses what the configuration says about the server and is not so.
func (c *Config) checkMode(mode string) error {
	switch {
	case mode == modeSentinel:
		return invalid(errSentinel)
	case mode != modeCluster:
		return nil
	case c.Client != nil:
		return invalid(errOneOfCluster)
	case isSocket(c.Addrs[0]):
		return invalid(errSocketOfNode)
	case c.DB > 0:
		return invalid(errClusterDB)
	}
	return nil
}

// isAstray says that the slot is at another server, which the client, being
// one of a single server, will never follow.
func (b *backend) isAstray(err error) bool {
	c := code(err)
	if c != "MOVED" && c != "ASK" {
		return false
	}
	_, ok := b.cluster()
	return !ok
}

// advice is what to do about an error of a server, "" where its own words say
// it.
func advice(err error) string {
	switch c := code(err); {
	case c == "MOVED", c == "ASK":
		return "the key is at another node of a cluster: if it stays so, connect again, or name several of the cluster's nodes"
	case c == "WRONGTYPE":
		return "the key holds something that is not a stream: want another stream name"
	case c == "OOM":
		return "the server's memory is full: trim streams (maxlen=, maxage=, XTRIM) or raise its maxmemory"
	case said(err, "invalid bulk length"):
		return "it is beyond the server's proto-max-bulk-len"
	case isNoSocket(err):
		return "want the path that the server's unixsocket= says, and a server that runs"
	case isClosedSocket(err):
		return "the server's unixsocketperm has to let this user write"
	case said(err, "DB index is out of range"):
		return "the server has fewer databases than db= asks for, 16 unless its configuration says otherwise"
	case said(err, "SELECT is not allowed in cluster mode"):
		return errClusterDB.Error()
	case said(err, "unknown command 'sentinel'"):
		return "the host is a server, not a sentinel: want no sentinel="
	case isUnwatched(err):
		return "these sentinels know no master by the name that sentinel= says"
	case said(err, "cluster support disabled"):
		return "several hosts are nodes of one cluster, and this server is in none: want one host, or sentinel="
	}
	return ""
}

// isUnwatched says that sentinels do not know the master.
func isUnwatched(err error) bool {
	return errors.Is(err, redis.Nil) && strings.Contains(err.Error(), "all sentinels")
}

// isMisplaced says that the address leads to a server of another kind than the
// configuration says, or to one without such a database.
func isMisplaced(err error) bool {
	for _, words := range [...]string{
		"DB index is out of range", "SELECT is not allowed in cluster mode", "cluster support disabled", "unknown command 'sentinel'",
	} {
		if said(err, words) {
			return true
		}
	}
	return isUnwatched(err)
}

// isNoSocket says that there is nothing where a unix socket should be.
func isNoSocket(err error) bool { return isDial(err) && errors.Is(err, fs.ErrNotExist) }

// isClosedSocket says that this user may not use the socket.
func isClosedSocket(err error) bool { return isDial(err) && errors.Is(err, fs.ErrPermission) }

// advised adds the advice to an error.
func advised(err error) error {
	if a := advice(err); a != "" {
		return fmt.Errorf("%w: %s", err, a)
	}
	return err
}
