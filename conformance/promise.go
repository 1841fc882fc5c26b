package conformance

import (
	_ "embed"
	"fmt"
	"strings"
)

// Promise is one row of the semantics table.
type Promise struct {
	Number int
	Text   string
}

//go:embed promises.txt
var promiseTexts string // one per line, in order

// Promises lists them in order, in the words of the documentation.
func Promises() []Promise {
	var list []Promise
	for line := range strings.Lines(promiseTexts) {
		list = append(list, Promise{len(list) + 1, strings.TrimSuffix(line, "\n")})
	}
	return list
}

// promise is what Run knows of a row.
type promise struct {
	number int
	title  string // of its subtests
	cases  func() []testCase
}

func (p *promise) name() string { return fmt.Sprintf("%02d-%s", p.number, p.title) }

// all is the promise's cases for a harness: its own, then those which show that
// what h refuses is refused.
func (p *promise) all(h *Harness) []testCase {
	cases := p.cases()
	for _, part := range h.Without {
		if e, ok := exceptionFor(h.Backend, p.number, part); ok && e.verdict == Refused {
			cases = append(cases, refusal(part))
		}
	}
	return cases
}

func promises() []promise {
	return []promise{
		{1, "shards-and-keys-keep-order", orderCases},
		{2, "realtime-sees-what-is-sent-after", realtimeCases},
		{3, "resumable-restarts-where-it-stopped", resumeCases},
		{4, "members-split-the-work", groupCases},
		{5, "seek-and-rewind-land-exactly", moveCases},
		{6, "after-a-move-nothing-from-before", afterMoveCases},
		{7, "commit-never-passes-a-gap", commitCases},
		{8, "reset-and-start", resetCases},
		{9, "records-come-back-equal", recordCases},
		{10, "receipts-are-real", receiptCases},
		{11, "a-failure-is-reported-alone", failureCases},
		{12, "connection-loss", connectionCases},
		{13, "new-shards", newShardCases},
		{14, "every-call-returns", lifecycleCases},
		{15, "a-slow-reader-bounds-memory", flowCases},
		{16, "bad-streams", badStreamCases},
		{17, "ack-policies", policyCases},
		{18, "admin-and-lag", adminCases},
		{19, "one-owner", ownerCases},
		{20, "the-same-everywhere", secretCases},
	}
}
