package streamer

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// URI is a parsed streamer URI:
//
//	scheme://[user[:password]@][host[,host…]][/stream[,stream…]][?option=value[&option=value…]]
//
// Every part is percent-decoded after it is split, so %2C is a comma in a name.
// There is no fragment and no form encoding: '#' and '+' are ordinary
// characters. Letters keep their case, except in the scheme. Empty hosts,
// streams and options are ignored.
type URI struct {
	Scheme  string        // in lower case
	User    *url.Userinfo // nil when absent
	Hosts   []string      // host or host:port, an IPv6 address in brackets
	Path    string        // between the hosts and '?', with its first '/'
	Streams []string      // Path, split on commas; backends whose path names a file split it themselves
	Query   url.Values    // not nil after ParseURI

	rawPath string   // set where Path and Streams do not tell which comma separates and which is part of a name
	secrets []string // option keys, see Hide
}

// ParseURI parses a URI. Its errors are ErrInvalid. They quote no part of s,
// since a malformed part may be a password.
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

// validScheme is the rule of RFC 3986.
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
		return errors.New("a control character (a newline?): write it percent-encoded or remove it")
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

// isCutShort says whether the authority looks like the first part of
// credentials, "user:12" of "user:12/34@host". Taken for a host and port it
// would be dialled and printed.
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
