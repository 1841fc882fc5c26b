package streamer

import (
	"net/url"
)

// URI is a parsed streamer URI. Path is what stands between the hosts and '?', decoded; backends whose path names a file split Streams
// themselves.
type URI struct {
	Scheme  string
	User    *url.Userinfo // nil when absent
	Hosts   []string
	Path    string
	Streams []string
	Query   url.Values
}

// ParseURI never panics. Its errors never contain the password.
func ParseURI(s string) (*URI, error) { panic(0) }

// String renders the URI with password and secret options replaced by "xxxxx".
func (u *URI) String() string { panic(0) }

// URIOption binds one URI option to a backend's Config: the same table parses, checks and documents it.
type URIOption[C any] struct {
	Key, Doc string
	Secret   bool // hidden by URI.String
	Set      func(c *C, value string) error
}

// Bind sets c from u.Query. Keys known neither to table nor to the root are one ErrInvalid that lists the known ones.
func Bind[C any](u *URI, c *C, table []URIOption[C]) error { panic(0) }

// Options reads the options that every backend knows (mode, group, …, close_timeout) and the streams of the path: for an OpenFunc to return.
func (u *URI) Options() (StreamerOptions, error) { panic(0) }
