// Command table writes docs/semantics.md from the verdicts of the conformance
// suite:
//
//	STREAMER_VERDICTS=/tmp/verdicts go test -run '^TestConformance$' ./...
//	go run ./conformance/table -verdicts /tmp/verdicts -o docs/semantics.md
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/gostreamer/streamer/conformance"
)

func main() {
	verdicts := flag.String("verdicts", "", "directory that the suite wrote its columns into")
	out := flag.String("o", "docs/semantics.md", "file to write")
	flag.Parse()
	if err := write(*verdicts, *out); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

// write replaces the file when every column could be read and no cell says
// FAILED.
func write(verdicts, out string) error {
	columns, err := conformance.ReadColumns(verdicts)
	if err != nil {
		return err
	}
	if len(columns) == 0 {
		return fmt.Errorf("no verdicts in %q: run the tests with STREAMER_VERDICTS set to it", verdicts)
	}
	if err := kept(columns); err != nil {
		return err
	}
	var page bytes.Buffer
	if err := conformance.WriteSemantics(&page, columns); err != nil {
		return err
	}
	return os.WriteFile(out, page.Bytes(), 0o644)
}

// kept lists the cells that say FAILED.
func kept(columns []conformance.Column) error {
	var failed []error
	for _, c := range columns {
		for _, p := range conformance.Promises() {
			if cell := c.Cell(p.Number); cell.Verdict == conformance.Failed {
				failed = append(failed, fmt.Errorf("%s, promise %d: %q", c.Name, p.Number, cell.Notes))
			}
		}
	}
	return errors.Join(failed...)
}
