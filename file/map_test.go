package file

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheFileMapNamesEveryFile: docs/file-design.md leads a reader to every
// file of this package and of those inside it.
func TestTheFileMapNamesEveryFile(t *testing.T) {
	page, err := os.ReadFile("../docs/file-design.md")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return err
		}
		if !strings.Contains(string(page), "](../file/"+filepath.ToSlash(name)+")") {
			t.Errorf("docs/file-design.md does not say what %s is for", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
