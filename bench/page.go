package main

import (
	"fmt"
	"os"
	"strings"
)

// The markers of the generated part; what is around them is written by hand.
const (
	beginMark = "<!-- figures: written by \"make bench\" -->"
	endMark   = "<!-- end of figures -->"
)

// updatePage puts figures between the markers of the page at path.
func updatePage(path, figures string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := splice(string(page), figures)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func splice(page, figures string) (string, error) {
	before, rest, begun := strings.Cut(page, beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !begun || !ended {
		return "", fmt.Errorf("the page has no lines %q and %q", beginMark, endMark)
	}
	return before + beginMark + "\n\n" + figures + "\n" + endMark + after, nil
}
