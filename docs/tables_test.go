package docs_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	_ "github.com/gostreamer/streamer/file"
	_ "github.com/gostreamer/streamer/redis"
)

// make docs passes -update.
var update = flag.Bool("update", false, "write the tables that these tests check")

// checkPart compares, or with -update replaces, what stands between two markers
// of a page.
func checkPart(t *testing.T, path, name, want string) {
	t.Helper()
	page := pages(t)[path]
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->"
	head, rest, ok1 := strings.Cut(page, begin)
	got, tail, ok2 := strings.Cut(rest, end)
	switch {
	case !ok1 || !ok2:
		t.Fatalf("%s has no markers %q", path, name)
	case got == want:
	case *update:
		if err := os.WriteFile(filepath.Join(root, path), []byte(head+begin+want+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s: %s are not what the code says; make docs writes\n%s", path, name, want)
	}
}

func TestTheGuideListsTheCommonOptions(t *testing.T) {
	var b strings.Builder
	b.WriteString("| option | means |\n|---|---|\n")
	for _, row := range driver.CommonOptions() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", row.Key, row.Doc)
	}
	checkPart(t, "docs/guide.md", "common options", b.String())
}

// The error about an unknown option lists the known ones: a backend's page
// names those of its own.
func TestEveryOptionOfABackendIsOnItsPage(t *testing.T) {
	for scheme, uri := range map[string]string{
		"memory": "memory://x/y?no=1", "stdio": "stdio:///y?no=1", "file": "file:///tmp/x.ss/y?no=1", "redis": "redis://x/y?no=1", "kafka": "kafka://x/y?no=1",
	} {
		_, err := streamer.Connect(t.Context(), uri)
		_, list, ok := strings.Cut(fmt.Sprint(err), "known are ")
		if !ok {
			t.Fatalf("%s: %v", uri, err)
		}
		page := pages(t)["docs/"+scheme+".md"]
		for option := range strings.SplitSeq(list, ", ") {
			if !isCommon(option) && !strings.Contains(page, "`"+option+"=") && !strings.Contains(page, "`"+option+"`") {
				t.Errorf("docs/%s.md does not name the option %s", scheme, option)
			}
		}
	}
}

func isCommon(option string) bool {
	return slices.ContainsFunc(driver.CommonOptions(), func(o driver.URIOption[streamer.StreamerOptions]) bool { return o.Key == option })
}

// README.md has docs/semantics.md in short: a column per backend, whatever its configurations.
func TestTheReadmeHasThePromisesInShort(t *testing.T) {
	columns, rows := verdicts(t)
	short := slices.DeleteFunc([]string{"memory", "stdio", "file", "redis", "kafka"}, func(backend string) bool {
		return !slices.ContainsFunc(columns, func(column string) bool { return isOf(backend, column) })
	})
	var b strings.Builder
	b.WriteString("| | " + strings.Join(short, " | ") + " |\n|---" + strings.Repeat("|---", len(short)) + "|\n")
	for _, row := range rows {
		b.WriteString("| " + row[0] + " |")
		for _, backend := range short {
			b.WriteString(" " + inShort(backend, columns, row) + " |")
		}
		b.WriteString("\n")
	}
	checkPart(t, "README.md", "promises", b.String())
}

// verdicts reads the table of docs/semantics.md: the columns' names and, row by row, the promise and the cells.
func verdicts(t *testing.T) (columns []string, rows [][]string) {
	t.Helper()
	promise := regexp.MustCompile(`^\d+ `)
	_, section, _ := strings.Cut(pages(t)["docs/semantics.md"], "## Backends\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case strings.HasPrefix(line, "| |"):
			columns = cells
		case promise.MatchString(cells[0]):
			rows = append(rows, cells)
		}
	}
	if len(rows) != 20 {
		t.Fatalf("docs/semantics.md has %d promises", len(rows))
	}
	return columns, rows
}

// inShort sums up the cells of a backend's configurations: the weakest, with a star where one has an exception.
func inShort(backend string, columns, row []string) string {
	verdict, star := "n/a", ""
	for i, column := range columns {
		if !isOf(backend, column) {
			continue
		}
		word, note, _ := strings.Cut(row[i], "<sup>")
		if note != "" && word != "n/a" {
			star = "*"
		}
		switch strings.TrimSpace(word) {
		case "kept":
			if verdict != "–" {
				verdict = "✓"
			}
		case "refused":
			verdict = "–"
		}
	}
	if verdict != "✓" {
		star = ""
	}
	return verdict + star
}

// isOf says whether a column is of one of the backend's configurations: "memory acks=cursor", "redis-cluster".
func isOf(backend, column string) bool {
	rest, ok := strings.CutPrefix(column, backend)
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '-')
}
