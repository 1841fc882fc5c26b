package streamer

import (
	"errors"
	"net/url"
	"strings"
)

// The characters that escape keeps in addition to letters, digits and "-._~":
// those that separate nothing in that part of a URI.
const (
	inUser  = "!$&'()*+;="
	inName  = inUser + ":/@"
	inValue = "!$'()*,;:/@"
)

// escape percent-encodes s.
func escape(s, keep string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if isLetter(c) || isDigit(c) || strings.IndexByte("-._~", c) >= 0 || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return b.String()
}

// unescape is the inverse of escape. Its error does not quote s.
func unescape(s string) (string, error) {
	out, err := url.PathUnescape(s)
	if err != nil {
		return "", errors.New("after '%' there must be two hexadecimal digits; write a percent sign as %25")
	}
	return out, nil
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
