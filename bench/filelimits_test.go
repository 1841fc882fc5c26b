package main

import (
	"runtime"
	"strings"
	"testing"
)

func TestWhatALargeLogTakesIsMeasured(t *testing.T) {
	table, err := fileLimits(t.Context(), 4<<20)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"receipts per fsync", "GB/s"}
	if runtime.GOOS == "linux" {
		want = append(want, "a fast reader", "a slow reader", "to a number", "to a time")
	}
	for _, what := range want {
		if !strings.Contains(table, what) {
			t.Errorf("nothing about %q in\n%s", what, table)
		}
	}
	t.Log(table)
}

func TestAFigureThatMissesItsGoalSaysSo(t *testing.T) {
	text := measureTable("title", []measure{{"a", "1", "< 2", false}, {"b", "3", "< 2", true}})
	if !strings.Contains(text, "| a | 1 | < 2 | met |\n| b | 3 | < 2 | **missed** |\n") {
		t.Error(text)
	}
}
