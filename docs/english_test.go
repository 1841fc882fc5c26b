package docs_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	commentWidth  = 80  // columns of a comment on lines of its own; a tab has 4
	markdownWidth = 160 // what a terminal of a usual width still shows
)

// unEnglish are phrases that a native-speaking engineer would not write, and
// what to write instead.
var unEnglish = map[string]string{
	`comes? again`:                `redelivered, or: returns`,
	`anew`:                        `again, or: recreated`,
	`(is|are|be|was|were) told`:   `reported to, or: learns`,
	`whoever`:                     `the caller, the process that`,
	`(some|any|every)body`:        `a caller, any process, all users`,
	`nobody`:                      `no process, no caller`,
	`one of ours`:                 `of this package`,
	`but for the`:                 `except the`,
	`at the least`:                `at least`,
	`line's end`:                  `newline`,
	`in the place of`:             `instead of, or: replaces`,
	`(has|have|had) to be told`:   `needs to know`,
	`sees? to it`:                 `ensures`,
	`as good as (not|none|never)`: `in effect`,
}

// generated pages are made by programs, whose texts are checked in their
// sources.
var generated = map[string]bool{"docs/benchmarks.md": true, "docs/semantics.md": true}

func banned() *regexp.Regexp {
	var words []string
	for phrase := range unEnglish {
		words = append(words, phrase)
	}
	return regexp.MustCompile(`(?i)\b(` + strings.Join(words, "|") + `)\b`)
}

// instead is what to write for a phrase that was found.
func instead(found string) string {
	for phrase, better := range unEnglish {
		if regexp.MustCompile(`(?i)^(` + phrase + `)$`).MatchString(found) {
			return better
		}
	}
	return ""
}

// name is the name of a case, a file or an identifier, or quoted code: no
// English.
var name = regexp.MustCompile("`[^`]*`|[\\w/]+(-[\\w/]+)+|\\w*[a-z][A-Z]\\w*")

func TestTheEnglishIsPlain(t *testing.T) {
	bad := banned()
	check := func(path string, n int, text string) {
		if found := bad.FindString(name.ReplaceAllString(text, "")); found != "" {
			t.Errorf("%s:%d: %q: want %s", path, n, found, instead(found))
		}
	}
	for path, text := range sources(t, func(path string) bool { return path != "docs/english_test.go" }) {
		for i, line := range strings.Split(text, "\n") {
			if comment, ok := strings.CutPrefix(strings.TrimSpace(line), "//"); ok {
				check(path, i+1, comment)
			} else if !strings.HasSuffix(path, "_test.go") {
				check(path, i+1, line)
			}
		}
	}
	for path, text := range pages(t) {
		if generated[path] {
			continue
		}
		for i, line := range strings.Split(text, "\n") {
			check(path, i+1, line)
		}
	}
}

// code is a comment line that cannot be wrapped: indented code, a directive, a URL,
// or the output that an example must print.
var code = regexp.MustCompile(`^\s*//(\s{2,}|\t|go:|nolint|lint:|.*https?://\S{40}|line )`)

func TestCommentsAndPagesAreNotTooWide(t *testing.T) {
	for path, text := range sources(t, func(string) bool { return true }) {
		output, raw := false, false
		for i, line := range strings.Split(text, "\n") {
			comment := strings.HasPrefix(strings.TrimSpace(line), "//")
			if !comment && strings.Count(line, "`")%2 == 1 {
				raw = !raw
			}
			output = comment && (output || strings.Contains(line, "utput:"))
			if !comment || output || raw || code.MatchString(line) {
				continue
			}
			if n := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); n > commentWidth {
				t.Errorf("%s:%d: a comment of %d columns", path, i+1, n)
			}
		}
	}
	for path, text := range pages(t) {
		fenced := false
		for i, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			}
			if fenced {
				continue // a command may be long
			}
			if n := utf8.RuneCountInString(line); n > markdownWidth && !generated[path] {
				t.Errorf("%s:%d: a line of %d columns", path, i+1, n)
			}
		}
	}
}
