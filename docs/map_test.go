package docs_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// mapped are the folders whose files docs/design.md names.
var mapped = []string{
	".", "driver", "engine", "engine/internal/*", "internal/inside", "internal/opening", "internal/wait", "internal/words",
}

// TestTheFileMapNamesEveryFile: docs/design.md leads a reader to every file of
// the API, the contract and the engine. TestEveryLinkLeadsSomewhere checks the
// other direction.
func TestTheFileMapNamesEveryFile(t *testing.T) {
	page := pages(t)["docs/design.md"]
	for _, dir := range mapped {
		names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(names), err)
		}
		for _, name := range names {
			rel, err := filepath.Rel(root, name)
			if err != nil {
				t.Fatal(err)
			}
			rel = filepath.ToSlash(rel)
			if !strings.HasSuffix(rel, "_test.go") && !strings.Contains(page, "](../"+rel+")") {
				t.Errorf("docs/design.md does not say what %s is for", rel)
			}
		}
	}
}
