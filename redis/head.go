package redis

import "bytes"

// head is the line that a value begins with.
type head struct {
	kind byte
	size int // of the line with its end; 0: not all of it is there
	n    int // the bytes of a text or the members of a list, -1: nil; 0 for kinds that announce nothing
}

// longestText is more than any server sends as one: proto-max-bulk-len is 512
// MiB by default. Lists have fewer members.
const longestText = 1 << 30

// readHead reads the one that b begins with. Most are a kind and a few digits.
func readHead(b []byte) (head, error) {
	n, i := 0, 1
	for ; i < len(b) && i < 10 && '0' <= b[i] && b[i] <= '9'; i++ {
		n = n*10 + int(b[i]-'0')
	}
	if i > 1 && i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n' {
		return announced(head{b[0], i + 2, n})
	}
	return readLine(b)
}

// announced checks that a kind announces something.
func announced(h head) (head, error) {
	switch h.kind {
	case '$', '!', '=', '*', '~', '>', '%':
		return h, nil
	case '+', '-', ':', ',', '(':
		h.n = 0
		return h, nil
	}
	return head{}, errMalformed
}

// readLine reads a head that is not a kind and a few digits.
func readLine(b []byte) (head, error) {
	end := bytes.IndexByte(b, '\n')
	switch {
	case end < 0:
		return head{}, nil
	case end < 2 || b[end-1] != '\r':
		return head{}, errMalformed
	}
	h := head{kind: b[0], size: end + 1}
	switch text := b[1 : end-1]; h.kind {
	case '+', '-', ':', ',', '(', '#':
		return h, nil
	case '_':
		h.n = -1
		return h, nil
	case '$', '*', '~', '>', '%', '!', '=':
		if string(text) == "-1" {
			h.n = -1
			return h, nil
		}
		n, rest, ok := parseUint(text)
		if !ok || len(rest) > 0 || n > longestText {
			return head{}, errMalformed
		}
		h.n = int(n)
		return h, nil
	}
	return head{}, errMalformed
}

// values is how many values make up what begins so, beside itself.
func (h head) values() int {
	switch h.kind {
	case '*', '~', '>':
		return max(h.n, 0)
	case '%':
		return 2 * max(h.n, 0)
	}
	return 0
}
