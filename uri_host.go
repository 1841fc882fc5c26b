package streamer

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// parseHost checks and decodes name, name:port, [IPv6] or [IPv6]:port.
func parseHost(s string) (string, error) {
	name, port := splitPort(s)
	if !validPort(port) {
		return "", errors.New("after ':' there must be a port up to 65535; write an IPv6 address in brackets, and a '/' or '?' in a password percent-encoded")
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

// splitPort cuts "host:9092" into "host" and ":9092". The port is "" or starts
// with the first ':' that is not part of a bracketed address.
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
