package streamer

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// URI is a parsed streamer URI: scheme://[user[:password]@][host[,host…]][/stream[,stream…]][?option=value[&option=value…]].
//
// Every part is percent-decoded after it is split, so %2C is a comma in a name. There is no fragment and no form encoding: '#' and '+' stand for
// themselves. Letters keep their case, except the scheme's. Empty hosts, streams and options are passed over.
type URI struct {
	Scheme  string        // in lower case
	User    *url.Userinfo // nil when absent
	Hosts   []string      // host or host:port, an IPv6 address in brackets
	Path    string        // what stands between the hosts and '?', with its first '/'
	Streams []string      // Path, split on the commas; backends whose path names a file split it themselves
	Query   url.Values    // not nil after ParseURI

	rawPath string   // set where Path and Streams leave open which comma separates and which belongs to a name
	secrets []string // the option keys that Bind found to be secret
}

// ParseURI never panics. Its errors are ErrInvalid and never contain the password: a part that is wrong may be one, so none is quoted.
func ParseURI(s string) (*URI, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || !validScheme(scheme) {
		return nil, invalidURI("", errors.New("want scheme://host/stream, such as file:///data/log.ss/orders"))
	}
	u := &URI{Scheme: strings.ToLower(scheme), Query: url.Values{}}
	if err := u.parse(rest); err != nil {
		return nil, invalidURI(u.Scheme, err)
	}
	return u, nil
}

func invalidURI(scheme string, cause error) error {
	return &Error{Op: "uri", Backend: scheme, Kind: ErrInvalid, Err: cause}
}

// validScheme is RFC 3986's rule.
func validScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isLetter(c) && (i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

func (u *URI) parse(rest string) error {
	if strings.ContainsFunc(rest, isControl) {
		return errors.New("a control character (a line's end?): write it percent-encoded or take it out")
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if isCutShort(authority, path, query) {
		return errors.New("'@' after the hosts: write a '/' or '?' in the password as %2F or %3F, or an '@' in a stream's name as %40")
	}
	if err := u.parseAuthority(authority); err != nil {
		return err
	}
	if err := u.parsePath(path); err != nil {
		return err
	}
	return u.parseQuery(query)
}

// isCutShort says whether the authority looks like the first part of credentials, "user:12" of "user:12/34@host": taken for a host and its
// port it would be dialled and printed.
func isCutShort(authority, path, query string) bool {
	if !strings.Contains(authority, ":") || strings.Contains(authority, "@") {
		return false
	}
	return strings.Contains(path, "@") || path == "" && strings.Contains(query, "@")
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func (u *URI) parseAuthority(s string) error {
	hosts := s
	if user, after, ok := strings.Cut(s, "@"); ok {
		if strings.Contains(after, "@") {
			return errors.New("two '@' before the path: credentials stand once, before the first host; write an '@' in them as %40")
		}
		if err := u.parseUser(user); err != nil {
			return err
		}
		hosts = after
	}
	for i, h := range strings.Split(hosts, ",") {
		if h == "" {
			continue
		}
		host, err := parseHost(h)
		if err != nil {
			return fmt.Errorf("host %d: %w", i+1, err)
		}
		u.Hosts = append(u.Hosts, host)
	}
	return nil
}

func (u *URI) parseUser(s string) error {
	name, password, hasPassword := strings.Cut(s, ":")
	name, err := unescape(name)
	if err != nil {
		return fmt.Errorf("user: %w", err)
	}
	if !hasPassword {
		u.User = url.User(name)
		return nil
	}
	if password, err = unescape(password); err != nil {
		return fmt.Errorf("password: %w", err)
	}
	u.User = url.UserPassword(name, password)
	return nil
}

// parseHost checks and decodes name, name:port, [IPv6] or [IPv6]:port.
func parseHost(s string) (string, error) {
	name, port := splitPort(s)
	if !validPort(port) {
		return "", errors.New("after ':' there must be a port up to 65535; write an IPv6 address in brackets, and a '/', '?' or '#' in a password percent-encoded")
	}
	if name == "" {
		return "", errors.New("a port without a host")
	}
	decoded, err := unescape(name)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(name, "[") && !isIPv6(decoded) {
		return "", errors.New("in brackets there must be an IPv6 address")
	}
	return decoded + port, nil
}

// splitPort cuts "host:9092" into "host" and ":9092". The port is "" or starts with the first ':' that is not part of a bracketed address.
func splitPort(s string) (name, port string) {
	from := 0
	if strings.HasPrefix(s, "[") {
		from = strings.LastIndexByte(s, ']') + 1
	}
	if i := strings.IndexByte(s[from:], ':'); i >= 0 {
		return s[:from+i], s[from+i:]
	}
	return s, ""
}

func validPort(port string) bool {
	if port == "" || port == ":" {
		return true
	}
	_, err := strconv.ParseUint(port[1:], 10, 16)
	return err == nil
}

// isIPv6 says whether s is "[address]", perhaps with a zone.
func isIPv6(s string) bool {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return false
	}
	addr, err := netip.ParseAddr(s[1 : len(s)-1])
	return err == nil && addr.Is6()
}

func (u *URI) parsePath(s string) error {
	if s == "" {
		return nil
	}
	names := strings.Split(s[1:], ",")
	raw := make([]string, len(names))
	for i := range names {
		name, err := unescape(names[i])
		if err != nil {
			return fmt.Errorf("path: %w", err)
		}
		names[i], raw[i] = name, escape(name, inName)
		if name != "" {
			u.Streams = append(u.Streams, name)
		}
	}
	u.Path = "/" + strings.Join(names, ",")
	if written := "/" + strings.Join(raw, ","); written != u.plainPath() {
		u.rawPath = written
	}
	return nil
}

func (u *URI) parseQuery(s string) error {
	for i, option := range strings.Split(s, "&") {
		if option == "" {
			continue
		}
		key, value, _ := strings.Cut(option, "=")
		if !validKey(key) {
			return errors.New("after '?' there must be option=value&option=value, an option's name being made of a-z, 0-9, '_', '.' and '-'; " +
				"write a '?' or '/' in a password percent-encoded")
		}
		value, err := unescape(value)
		if err != nil {
			return fmt.Errorf("option %d: %w", i+1, err)
		}
		u.Query.Add(key, value)
	}
	return nil
}

func validKey(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune("_.-", rune(c)) {
			return false
		}
	}
	return s != ""
}

// String renders the URI with password and secret options replaced by "xxxxx": those whose row Bind saw to be Secret, and, because a URI is
// printed before it is bound, those whose name sounds like it. Without a secret in u, ParseURI(u.String()) equals u.
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

// MarshalText is String, so that JSON and log/slog print no password either. It never fails.
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

func escapeHost(h string) string {
	name, port := splitPort(h)
	if port == "" || !validPort(port) || name == "" {
		name, port = h, ""
	}
	if isIPv6(name) {
		return "[" + escape(name[1:len(name)-1], inUser+":") + "]" + port
	}
	return escape(name, inUser) + port
}

func (u *URI) pathString() string {
	if u.rawPath == "" {
		return u.plainPath()
	}
	// The fields are the caller's to change; then rawPath is about another path.
	var was URI
	if was.parsePath(u.rawPath) == nil && was.Path == u.Path && slices.Equal(was.Streams, u.Streams) {
		return u.rawPath
	}
	return u.plainPath()
}

// plainPath renders Path, and Streams where they are all of it, so that a comma in a stream's name stays one.
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
			if u.isSecret(key) {
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
