package docs_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// docs/design.md leads a reader to every file of the root package; TestEveryLinkLeadsSomewhere checks the other direction.
func TestTheFileMapNamesEveryFile(t *testing.T) {
	page := pages(t)["docs/design.md"]
	names, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		name = filepath.Base(name)
		if !strings.HasSuffix(name, "_test.go") && !strings.Contains(page, "](../"+name+")") {
			t.Errorf("docs/design.md does not say what %s is for", name)
		}
	}
}
