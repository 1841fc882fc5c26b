package streamer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Connector opens a Streamer for a parsed URI, with o under what the URI says; see
// ConnectWith. Its errors say where they happened. Packages of backends make one
// with engine.Register.
type Connector func(ctx context.Context, u *URI, o StreamerOptions) (Streamer, error)

// schemes is package state, because importing a backend is how a program says that it wants one (like database/sql's drivers).
var schemes struct {
	sync.RWMutex
	open map[string]Connector
}

// Register makes a scheme, in lower case, known to Connect. It panics when the scheme is taken or cannot stand in a URI. Call it from init.
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

// Connect opens the backend that registered the URI's scheme and checks that it answers:
// scheme://[user[:password]@][host[,host…]]/stream[,stream…][?option=value…]. Stream names are percent-decoded after the split on
// commas. An unknown scheme names the import that is missing; an unknown option lists the
// known ones. ctx bounds the call only.
func Connect(ctx context.Context, uri string) (Streamer, error) {
	return ConnectWith(ctx, uri, StreamerOptions{})
}

// ConnectWith is Connect with logger, hooks and defaults from code. Each option
// comes from the first that sets it: the argument of Consumer or Producer, the
// URI, o, the built-in default; zero is "not set". A mode that takes the place
// of another one takes the place of the group or the shards beside that one,
// where it has no use for them. ErrInvalid when what is left does not go
// together, such as RealTime and a group, wherever each is written. A delay that
// is inherited without ack=delayed is ignored.
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
