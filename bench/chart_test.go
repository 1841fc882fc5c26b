package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// charted are results of two sections; the peer of the first is twice as fast
// as the case, its control four times.
func charted() []result {
	first := &benchCase{name: "file/a<b>", control: "bufio & co"}
	second := &benchCase{name: "send/x", control: "bare"}
	return []result{
		{of: first, subject: cost{ns: 400}, control: cost{ns: 100}, peers: []standing{{peer: peer{name: "other"}, cost: cost{ns: 200}}}},
		{of: second, subject: cost{ns: 1e6}, control: cost{ns: 1}},
	}
}

func TestAChartHasABarForEachSide(t *testing.T) {
	text := chart("file", charted()[:1])
	var got []string
	for _, m := range regexp.MustCompile(`class="(\w+)" x="\d+" y="\d+" width="([\d.]+)"`).FindAllStringSubmatch(text, -1) {
		got = append(got, m[1]+" "+m[2])
	}
	if want := []string{"ours 97.5", "control 390.0", "peer 195.0"}; !slices.Equal(got, want) {
		t.Errorf("bars %q, want %q", got, want)
	}
	if text != chart("file", charted()[:1]) {
		t.Error("the same results give another chart")
	}
}

// A chart of what is much slower than its control still has a bar to see.
func TestNoBarVanishes(t *testing.T) {
	if text := chart("send", charted()[1:]); !strings.Contains(text, `width="1.0"`) {
		t.Error(text)
	}
}

func TestAChartIsTextInXML(t *testing.T) {
	text := chart("file", charted()[:1])
	var words []string
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok {
			words = append(words, string(c))
		}
	}
	for _, want := range []string{"a<b>", "bufio & co", "streamer", "other", "2.50 M/s", "10.0 M/s", "5.00 M/s"} {
		if !slices.Contains(words, want) {
			t.Errorf("no text %q in %q", want, words)
		}
	}
	if !strings.Contains(text, "prefers-color-scheme: dark") || strings.Contains(text, "background") {
		t.Error("the chart does not follow the page's colours")
	}
}

func TestAPageHasAChartOfEachOfItsSections(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	dir := chartDir(page)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gone.svg", "kept.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := updateCharts(page, charted()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"file.svg", "kept.txt", "send.svg"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	text := (&report{charts: "page", results: charted()}).markdown()
	for _, name := range []string{"file.svg", "send.svg"} {
		if !strings.Contains(text, "](page/"+name+")") {
			t.Errorf("no link to %s in\n%s", name, text)
		}
	}
}
