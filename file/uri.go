package file

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

const (
	wildcard = group.EveryStream // every stream of a log
)

// parse reads a URI into a Config and the streams that its path names.
func parse(u *streamer.URI) (Config, []string, error) {
	var c Config
	if err := driver.Bind(u, &c, options); err != nil {
		return c, nil, err
	}
	var streams []string
	var err error
	c.Path, streams, err = Split(u)
	return c, streams, err
}

// Split cuts the path of a file:// URI into that of the log and the streams
// that it names: none, several, or "*" for all. Options are not looked at.
// ErrInvalid when there is no .ss file in the path, and when a name cannot be a
// stream's.
func Split(u *streamer.URI) (log string, streams []string, err error) {
	if u.User != nil {
		return "", nil, invalid(errors.New("file:// has no users: leave the user out"))
	}
	if len(u.Hosts) > 1 {
		return "", nil, invalid(errors.New("file:// takes one path; write a comma in it as %2C"))
	}
	path := u.Path
	if len(u.Hosts) == 1 {
		path = u.Hosts[0] + path // a relative path starts where other URIs have the host
	}
	return splitPath(path, u.Query.Has("segment"))
}

// splitPath cuts /data/log.ss/orders,refunds into the log and its streams. An
// element that ends in .ss is the log when it is the last one or the last but
// one. Where there is none, it is a directory with segments or, when segments
// are asked for, what is before the last slash.
func splitPath(path string, segmented bool) (log string, streams []string, err error) {
	if isLog(path) || path != "" && !isLog(parent(path)) && logfile.IsSegmented(path) {
		return strings.TrimRight(path, "/"), nil, nil
	}
	log, names := cutLast(path)
	if !isLog(log) && (log == "" || !segmented && !logfile.IsSegmented(log)) {
		return "", nil, invalid(fmt.Errorf("path %q names no .ss file and no directory with segments: want file:///dir/log.ss/stream, "+
			"or file:///dir/log/stream?segment=64MiB to make a directory the log", path))
	}
	for name := range strings.SplitSeq(names, ",") {
		if name == "" {
			continue
		}
		if err := checkName(name); err != nil && name != wildcard {
			return "", nil, err
		}
		streams = append(streams, name)
	}
	return log, streams, nil
}

func parent(path string) string {
	dir, _ := cutLast(path)
	return dir
}

func cutLast(path string) (dir, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

// isLog says that the last element of path names an .ss file.
func isLog(path string) bool {
	_, last := cutLast(strings.TrimRight(path, "/"))
	return strings.HasSuffix(last, logfile.Suffix)
}

// checkName refuses what cannot be a stream: ErrInvalid.
func checkName(name string) error {
	if strings.HasPrefix(name, ss.Reserved) {
		return fmt.Errorf("%w stream name %q: names that start with %s are SeaStreamer's own (every stream is %q)",
			streamer.ErrInvalid, name, ss.Reserved, wildcard)
	}
	if !ss.ValidKey(name) {
		return fmt.Errorf("%w stream name %.300q: want 1 to %d of A-Z a-z 0-9 . _ -", streamer.ErrInvalid, name, ss.MaxKey)
	}
	return nil
}
