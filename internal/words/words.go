// Package words parses options whose values are words.
package words

import (
	"fmt"
	"slices"
	"strings"
)

// Parse is the place of s in words, counted from first. Else the error is
// invalid and lists them. An empty word is one that cannot be written.
func Parse[T ~uint8](s string, invalid error, first T, words ...string) (T, error) {
	i := slices.Index(words, s)
	if i < 0 || s == "" {
		known := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
		return 0, fmt.Errorf("%w word: want %s", invalid, list(known))
	}
	return first + T(i), nil //nolint:gosec // a handful of words
}

func list(words []string) string {
	if len(words) == 2 {
		return words[0] + " or " + words[1]
	}
	return strings.Join(words, ", ")
}
