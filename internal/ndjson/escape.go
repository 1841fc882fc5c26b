package ndjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// plain marks the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := ' '; c < 256; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// escapes are the bytes with an escape of one letter; meanings is its inverse.
var (
	escapes  = [256]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}
	meanings = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
)

// unescape appends what the escape at the start of s (behind its backslash)
// means and returns how long it is; 0 when it is none.
func unescape(dst, s []byte) ([]byte, int) {
	if len(s) == 0 {
		return dst, 0
	}
	if c := meanings[s[0]]; c != 0 {
		return append(dst, c), 1
	}
	r := unit(s)
	switch {
	case r < 0:
		return dst, 0
	case !utf16.IsSurrogate(r):
		return utf8.AppendRune(dst, r), 5
	case len(s) < 6 || s[5] != '\\':
		return dst, 0
	}
	// What is left out by the pairing of surrogates has no UTF-8: it would come
	// back as U+FFFD, another value.
	r = utf16.DecodeRune(r, unit(s[6:]))
	if r == utf8.RuneError {
		return dst, 0
	}
	return utf8.AppendRune(dst, r), 11
}

// unit is the UTF-16 unit that s begins with, "u12ab"; negative when it begins
// otherwise.
func unit(s []byte) rune {
	if len(s) < 5 || s[0] != 'u' {
		return -1
	}
	var r rune
	for _, c := range s[1:5] {
		d := digit(c)
		if d < 0 {
			return -1
		}
		r = r<<4 | d
	}
	return r
}

func digit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	}
	return -1
}
