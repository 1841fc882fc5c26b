package redis

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/gostreamer/streamer"
)

const (
	socketScheme = "redis+unix"

	socketForm = "redis+unix:///run/redis/redis.sock/stream"
)

// isSocket says that an address is the path of a unix socket.
func isSocket(addr string) bool { return strings.HasPrefix(addr, "/") }

// onSocket is a URI of a unix socket as those of the other schemes are: the
// host is the socket, and the rest of the path are the streams.
func onSocket(u *streamer.URI) (*streamer.URI, error) {
	switch {
	case len(u.Hosts) > 0:
		return nil, invalid(errors.New("a unix socket is on no host: want " + socketForm))
	case len(u.Streams) == 0:
		return nil, invalid(errors.New("no socket: want " + socketForm))
	}
	socket, stream, err := cutSocket("/" + strings.TrimLeft(u.Streams[0], "/"))
	if err != nil {
		return nil, invalid(err)
	}
	v := *u
	v.Hosts, v.Streams = []string{socket}, slices.Clone(u.Streams[1:])
	if stream != "" {
		v.Streams = slices.Insert(v.Streams, 0, stream)
	}
	return &v, nil
}

// cutSocket cuts a path behind the socket: the first on the way that is no
// directory. Where there is none yet it is the first whose name ends in .sock
// or .socket, else all of it.
func cutSocket(path string) (socket, stream string, err error) {
	for i := range len(path) + 1 {
		if i == 0 || i < len(path) && path[i] != '/' {
			continue
		}
		info, err := os.Stat(path[:i])
		if err != nil {
			break
		}
		if !info.IsDir() {
			return path[:i], strings.TrimPrefix(path[i:], "/"), nil
		}
		if i == len(path) {
			return "", "", fmt.Errorf("%s is a directory: want %s", path, socketForm)
		}
	}
	for i := range len(path) + 1 {
		if i < len(path) && path[i] != '/' {
			continue
		}
		if name := path[:i]; strings.HasSuffix(name, ".sock") || strings.HasSuffix(name, ".socket") {
			return name, strings.TrimPrefix(path[i:], "/"), nil
		}
	}
	return path, "", nil
}
