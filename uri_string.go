package streamer

import (
	"maps"
	"slices"
	"strings"
)

// String renders the URI with "xxxxx" for the password and for secret options:
// those that Hide named and, because a URI may be printed before it is bound,
// those whose name sounds secret. Without a secret in u, ParseURI(u.String())
// equals u.
func (u URI) String() string {
	var b strings.Builder
	b.WriteString(u.Scheme)
	b.WriteString("://")
	b.WriteString(u.userString())
	for i, h := range u.Hosts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(escapeHost(h))
	}
	b.WriteString(u.pathString())
	b.WriteString(u.queryString())
	return b.String()
}

// GoString is String, for %#v, which would print the password.
func (u URI) GoString() string { return u.String() }

// MarshalText is String, so that JSON and log/slog print no password either. It
// never fails.
func (u URI) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

func (u *URI) userString() string {
	if u.User == nil {
		return ""
	}
	s := escape(u.User.Username(), inUser)
	if _, ok := u.User.Password(); ok {
		s += ":" + hidden
	}
	return s + "@"
}

func (u *URI) pathString() string {
	if u.rawPath == "" {
		return u.plainPath()
	}
	// The caller may have changed the fields. Then rawPath belongs to another
	// path.
	var was URI
	if was.parsePath(u.rawPath) == nil && was.Path == u.Path && slices.Equal(was.Streams, u.Streams) {
		return u.rawPath
	}
	return u.plainPath()
}

// plainPath renders Path, or Streams where they make up all of it, so that a
// comma in a stream's name is escaped.
func (u *URI) plainPath() string {
	names := make([]string, len(u.Streams))
	for i, s := range u.Streams {
		names[i] = escape(s, inName)
	}
	if len(names) > 0 && (u.Path == "" || u.Path == "/"+strings.Join(u.Streams, ",")) {
		return "/" + strings.Join(names, ",")
	}
	if u.Path == "" || u.Path[0] == '/' {
		return escape(u.Path, inName+",")
	}
	return "/" + escape(u.Path, inName+",")
}

func (u *URI) queryString() string {
	var options []string
	for _, key := range slices.Sorted(maps.Keys(u.Query)) {
		for _, value := range u.Query[key] {
			if u.Hides(key) {
				value = hidden
			}
			options = append(options, escape(key, "")+"="+escape(value, inValue))
		}
	}
	if options == nil {
		return ""
	}
	return "?" + strings.Join(options, "&")
}
