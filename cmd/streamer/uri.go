package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file"
)

// withOption returns uri with key set to value, or as it is when value is "".
// It works on the text, because a parsed URI prints without its password.
func withOption(uri, key, value string) string {
	if value == "" {
		return uri
	}
	base, query, _ := strings.Cut(uri, "?")
	var options []string
	for option := range strings.SplitSeq(query, "&") {
		if k, _, _ := strings.Cut(option, "="); k != key && option != "" {
			options = append(options, option)
		}
	}
	// '+' stands for itself in these URIs.
	escaped := strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	return base + "?" + strings.Join(append(options, key+"="+escaped), "&")
}

// place is where a URI points, without credentials and options. For a file it
// is the same wherever the program was started.
func place(u *streamer.URI) string {
	if u.Scheme == "file" {
		if path, err := filePlace(u); err == nil {
			return "file://" + path
		}
	}
	bare := *u
	bare.User, bare.Query = nil, nil
	return bare.String()
}

func filePlace(u *streamer.URI) (string, error) {
	log, streams, err := file.Split(u)
	if err != nil {
		return "", err
	}
	return filepath.Abs(filepath.Join(log, strings.Join(streams, ",")))
}

// consumerOptions are those that uri sets.
func consumerOptions(uri string) (streamer.ConsumerOptions, error) {
	u, err := streamer.ParseURI(uri)
	if err != nil {
		return streamer.ConsumerOptions{}, err
	}
	o, err := driver.Options(u)
	return o.Consumer, err
}

// streamsOf are the streams that uri names; none stands for every stream.
func streamsOf(uri string) ([]string, error) {
	u, err := streamer.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	streams := u.Streams
	if u.Scheme == "file" {
		if _, streams, err = file.Split(u); err != nil {
			return nil, err
		}
	}
	if len(streams) == 1 && streams[0] == "*" {
		return nil, nil
	}
	return streams, nil
}

// oneStream is the stream that uri names, "" when it names none.
func oneStream(uri string) (string, error) {
	streams, err := streamsOf(uri)
	switch {
	case err != nil:
		return "", err
	case len(streams) > 1:
		return "", usageError{fmt.Errorf("messages go to one stream, and the URI names %d: %s", len(streams), strings.Join(streams, ", "))}
	case len(streams) == 0:
		return "", nil
	}
	return streams[0], nil
}

// isStdio says that uri is standard input or output.
func isStdio(uri string) bool { return strings.HasPrefix(strings.ToLower(uri), "stdio:") }
