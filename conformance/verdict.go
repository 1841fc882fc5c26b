package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Verdict is the result of a promise, or of one case of it, for a backend.
type Verdict uint8

const (
	Kept          Verdict = iota // the promise holds
	Refused                      // ErrUnsupported at the earliest moment, as granted
	NotApplicable                // the situation cannot arise, as granted
	Failed
)

func (v Verdict) String() string {
	return [...]string{"kept", "refused", "n/a", "FAILED"}[v]
}

// MarshalText writes the verdict's word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (v *Verdict) UnmarshalText(text []byte) error {
	for w := Kept; w <= Failed; w++ {
		if w.String() == string(text) {
			*v = w
			return nil
		}
	}
	return fmt.Errorf("no verdict %q", text)
}

// Finding is the verdict of one case.
type Finding struct {
	Promise int
	Case    string
	Verdict Verdict
	Part    Part   `json:",omitempty"` // what the backend is without
	Why     string `json:",omitempty"`
}

// Column is the result of Run for one harness.
type Column struct {
	Name, Backend string
	Findings      []Finding
}

// Cell is one promise of one column.
type Cell struct {
	Verdict Verdict
	Notes   []string // the parts that are refused or n/a, with the reason, or the cases that failed
}

// Cell sums up the findings of a promise: FAILED when one case failed, kept
// when one was kept, else refused when one was refused.
func (c *Column) Cell(promise int) Cell {
	count := [Failed + 1]int{}
	var notes []string
	for _, f := range c.Findings {
		if f.Promise != promise {
			continue
		}
		count[f.Verdict]++
		if note := f.note(); note != "" && !contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return Cell{sum(count), notes}
}

func sum(count [Failed + 1]int) Verdict {
	for _, v := range []Verdict{Failed, Kept, Refused} {
		if count[v] > 0 {
			return v
		}
	}
	return NotApplicable
}

func (f *Finding) note() string {
	switch f.Verdict {
	case Kept:
		return ""
	case Failed:
		return "FAILED: " + f.Case
	default:
		return fmt.Sprintf("%s %s: %s", f.Part, f.Verdict, f.Why)
	}
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// save writes the column into dir, as ReadColumns finds it.
func (c *Column) save(dir string) error {
	text, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return err
	}
	name := strings.NewReplacer(" ", "-", "=", "-", "/", "-").Replace(c.Name)
	return os.WriteFile(filepath.Join(dir, name+".json"), text, 0o644)
}

// ReadColumns reads the columns that Run wrote into a directory, in the order
// of their file names.
func ReadColumns(dir string) ([]Column, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	columns := make([]Column, len(names))
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &columns[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return columns, nil
}
