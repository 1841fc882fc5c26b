// Package docs_test holds the documentation to the code: links, quoted code,
// named tests, tables and console sessions.
package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const root = ".."

// pages are the documents that are written by hand or generated, by their path
// from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	text := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*.md"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			path, err := filepath.Rel(root, name)
			if err != nil {
				t.Fatal(err)
			}
			text[filepath.ToSlash(path)] = read(t, name)
		}
	}
	return text
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sources are the module's Go files for which keep is true, by their path from
// the root.
func sources(t *testing.T, keep func(path string) bool) map[string]string {
	t.Helper()
	text := map[string]string{}
	err := filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".go" {
			return err
		}
		path, err := filepath.Rel(root, name)
		if err == nil && keep(filepath.ToSlash(path)) {
			text[filepath.ToSlash(path)] = read(t, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// fenced are the blocks of one language in a page.
func fenced(page, language string) []string {
	var blocks []string
	for _, part := range strings.Split(page, "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		blocks = append(blocks, block)
	}
	return blocks
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	all := pages(t)
	for path, text := range all {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target, fragment, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			to := path
			if target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(path), target))
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil {
				t.Errorf("%s: %s leads nowhere", path, found[1])
			} else if fragment != "" && !headings(all[to])[fragment] {
				t.Errorf("%s: %s has no heading %q", path, to, fragment)
			}
		}
	}
}

// headings are the fragments that a page's headings can be linked by.
func headings(page string) map[string]bool {
	set := map[string]bool{}
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for line := range strings.Lines(page) {
		if name := strings.TrimLeft(line, "#"); name != line {
			name = strings.ToLower(strings.TrimSpace(name))
			set[strings.ReplaceAll(drop.ReplaceAllString(name, ""), " ", "-")] = true
		}
	}
	return set
}

// named are tests that a page names in backquotes, with the subtest after a
// slash.
var named = regexp.MustCompile("`((?:Test|Example|Fuzz)[A-Z]\\w*)(?:/[^`]*)?`")

func TestEveryTestThatIsNamedExists(t *testing.T) {
	tests := sources(t, func(path string) bool { return strings.HasSuffix(path, "_test.go") })
	exists := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Example|Fuzz)\w+)\(`)
	for _, text := range tests {
		for _, f := range function.FindAllStringSubmatch(text, -1) {
			exists[f[1]] = true
		}
	}
	for path, text := range pages(t) {
		for _, f := range named.FindAllStringSubmatch(text, -1) {
			if !exists[f[1]] {
				t.Errorf("%s names %s, which does not exist", path, f[1])
			}
		}
	}
}

// cases are conformance cases that a page names in backquotes: the promise's number and title, then the case.
var cases = regexp.MustCompile("`(\\d\\d)-([a-z0-9-]+)/([A-Za-z0-9'/-]+)`")

func TestEveryConformanceCaseThatIsNamedExists(t *testing.T) {
	var suite strings.Builder
	for _, text := range sources(t, func(path string) bool { return strings.HasPrefix(path, "conformance/") }) {
		suite.WriteString(text)
	}
	for path, text := range pages(t) {
		for _, f := range cases.FindAllStringSubmatch(text, -1) {
			number, title, name := strings.TrimPrefix(f[1], "0"), f[2], f[3]
			if !strings.Contains(suite.String(), "{"+number+`, "`+title+`", `) {
				t.Errorf("%s: there is no promise %s-%s", path, f[1], title)
			}
			if strings.HasPrefix(name, "refuses-") {
				continue // its name is made of what is refused
			}
			if !strings.Contains(suite.String(), `"`+name+`"`) {
				t.Errorf("%s: no case is called %s", path, name)
			}
		}
	}
}
