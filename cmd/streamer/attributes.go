package main

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gostreamer/streamer"
)

// attributes is a set of what a message has beside the bytes of its value, and
// a target may be unable to keep.
type attributes uint8

const (
	withTime attributes = 1 << iota
	withHeaders
	withoutValue // nil, which is not the same as empty
	withBinaryKey
	withKey       // text: a target that refuses it refuses every key
	allAttributes = 1<<iota - 1
)

var attributeNames = [...]string{"the time", "headers", "the difference between no value and an empty one", "keys that are not text", "keys"}

func attributesOf(m *streamer.Message) (a attributes) {
	if !m.Time.IsZero() {
		a |= withTime
	}
	if len(m.Headers) > 0 {
		a |= withHeaders
	}
	if m.Value == nil {
		a |= withoutValue
	}
	switch {
	case m.Key == nil:
	case utf8.Valid(m.Key):
		a |= withKey
	default:
		a |= withBinaryKey
	}
	return a
}

// subsets are the subsets of a, small ones first, and among equals first those
// that cost least to lose: a key, which decides the order of its messages,
// comes last.
func (a attributes) subsets() []attributes {
	var all []attributes
	for s := range attributes(allAttributes + 1) {
		if s&^a == 0 {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(s, t attributes) int {
		return cmp.Compare(bits.OnesCount8(uint8(s)), bits.OnesCount8(uint8(t)))
	})
	return all
}

func (a attributes) String() string {
	var names []string
	for i, name := range attributeNames {
		if a&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}
