package main

import (
	"fmt"
	"strings"
)

// tellShares says who did how much.
func (s *story) tellShares(crew string, done shift) {
	for name := range strings.SplitSeq(crew, ",") {
		s.say("     %-6s finished %6s orders", title(name), thousands(done.count(finished, name)))
	}
}

// tellOfTheCrash says what a killed program leaves behind.
func (s *story) tellOfTheCrash(r stint) {
	handedOut := len(r.orders(got))
	s.say("     %6s orders were handed out there", thousands(handedOut))
	s.say("     %6s of them are noted as done, on disk, beside the file", thousands(handedOut-r.open))
	s.say("     %6s were handed out and not noted: these may be redelivered, no others", thousands(r.open))
}

func (s *story) tellAccounts(a accounts) {
	s.say("\n6. The accounts.")
	s.say("     written    %6s orders   %16s", thousands(a.written), euros(a.writtenCents))
	s.say("     finished   %6s orders   %16s", thousands(a.finished), euros(a.finishedCents))
	s.say("     lost       %6s", thousands(a.lost))
	s.say("     redelivered %5s          (at most %s may be)", thousands(a.again), thousands(a.allowed))
	if err := a.fault(); err != nil {
		s.say("\nNOT OK: %s.", strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	s.say("\nOK: every order was finished, and only messages that may be redelivered were.")
}

// thousands writes 12000 as 12,000.
func thousands[N int | int64](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func euros(cents int64) string { return fmt.Sprintf("%s.%02d EUR", thousands(cents/100), cents%100) }

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
