package streamer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// OpenFunc opens a backend for a parsed URI. The returned options are the URI's (URI.Options).
type OpenFunc func(ctx context.Context, u *URI) (Backend, StreamerOptions, error)

// schemes is package state, because importing a backend is how a program says that it wants one (like database/sql's drivers).
var schemes struct {
	sync.RWMutex
	open map[string]OpenFunc
}

// Register makes a scheme, in lower case, known to Connect. It panics when the scheme is taken or cannot stand in a URI. Call it from init.
func Register(scheme string, open OpenFunc) {
	if open == nil || !validScheme(scheme) || scheme != strings.ToLower(scheme) {
		panic("streamer: Register of scheme " + scheme + ": want a lower-case scheme and a function")
	}
	schemes.Lock()
	defer schemes.Unlock()
	if _, taken := schemes.open[scheme]; taken {
		panic("streamer: Register called twice for scheme " + scheme)
	}
	if schemes.open == nil {
		schemes.open = make(map[string]OpenFunc)
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
	b, fromURI, err := open(ctx, u)
	if err != nil {
		return nil, wrapFor(ctx, "connect", u.Scheme, "", err)
	}
	s, err := New(b, merge(fromURI, o))
	if err != nil {
		_ = b.Close(ctx) // opened and never used
		return nil, wrapFor(ctx, "connect", u.Scheme, "", err)
	}
	if err := s.Ping(ctx); err != nil && !errors.Is(err, ErrUnsupported) {
		_ = s.Close() // what did not answer has nothing to add
		return nil, wrapFor(ctx, "connect", u.Scheme, "", err)
	}
	return s, nil
}

func opener(scheme string) (OpenFunc, error) {
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
