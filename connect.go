package streamer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Connector opens a Streamer for a parsed URI. Options of the URI win over o;
// see ConnectWith. Its errors say where they happened. Backends register one
// with engine.Register.
type Connector func(ctx context.Context, u *URI, o StreamerOptions) (Streamer, error)

// schemes is package state, because a program chooses a backend by importing
// it, like the drivers of database/sql.
var schemes struct {
	sync.RWMutex
	open map[string]Connector
}

// Register makes a scheme, in lower case, known to Connect. It panics when the
// scheme is taken or cannot occur in a URI. Call it from init.
func Register(scheme string, open Connector) {
	if open == nil || !validScheme(scheme) || scheme != strings.ToLower(scheme) {
		panic("streamer: Register of scheme " + scheme + ": want a lower-case scheme and a function")
	}
	schemes.Lock()
	defer schemes.Unlock()
	if _, taken := schemes.open[scheme]; taken {
		panic("streamer: Register called twice for scheme " + scheme)
	}
	if schemes.open == nil {
		schemes.open = make(map[string]Connector)
	}
	schemes.open[scheme] = open
}

// Schemes lists the registered schemes in order.
func Schemes() []string {
	schemes.RLock()
	defer schemes.RUnlock()
	return slices.Sorted(maps.Keys(schemes.open))
}

// Connect opens the backend that registered the URI's scheme and checks that it
// answers. A URI is
//
//	scheme://[user[:password]@][host[,host…]]/stream[,stream…][?option=value…]
//
// Stream names are percent-decoded after the split on commas. The error for an
// unknown scheme names the missing import; that for an unknown option lists the
// known ones. ctx bounds the call only.
func Connect(ctx context.Context, uri string) (Streamer, error) {
	return ConnectWith(ctx, uri, StreamerOptions{})
}

// ConnectWith is Connect with logger, hooks and defaults from code. Each option
// comes from the first of these that sets it: the argument of Consumer or
// Producer, the URI, o, the built-in default. Zero is "not set". A mode that
// replaces another one also replaces the group or the shards that were set with
// that one, if the new mode takes none. Options that contradict each other,
// such as RealTime and a group, are ErrInvalid wherever each is set. An
// inherited AckDelay without AckDelayed is ignored.
func ConnectWith(ctx context.Context, uri string, o StreamerOptions) (Streamer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	u, err := ParseURI(uri)
	if err != nil {
		return nil, err
	}
	open, err := opener(u.Scheme)
	if err != nil {
		return nil, err
	}
	return open(ctx, u, o)
}

func opener(scheme string) (Connector, error) {
	schemes.RLock()
	defer schemes.RUnlock()
	if open, ok := schemes.open[scheme]; ok {
		return open, nil
	}
	known := strings.Join(slices.Sorted(maps.Keys(schemes.open)), ", ")
	if known == "" {
		known = "none"
	}
	hint := "no package of this module knows it"
	if pkg := packageOf(scheme); pkg != "" {
		hint = `import _ "github.com/gostreamer/streamer/` + pkg + `"`
	}
	return nil, &Error{Op: "connect", Kind: ErrInvalid, Err: fmt.Errorf("unknown scheme %q: %s (registered: %s)", scheme, hint, known)}
}

// packageOf is the package of this module that registers scheme, or "".
func packageOf(scheme string) string {
	switch scheme {
	case "memory", "stdio", "file", "redis", "kafka":
		return scheme
	case "rediss", "redis+unix":
		return "redis"
	}
	return ""
}
