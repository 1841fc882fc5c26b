package conformance_test

import (
	"context"
	"errors"
	"net/url"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/conformance"
	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/engine"
	"github.com/gostreamer/streamer/memory"
)

func mutants() []mutant {
	return []mutant{
		{promise: 1, name: "keys-scatter-over-shards", groups: memory.Dealt, program: keysScatter},
		{promise: 1, name: "a-record-overtakes-another-of-its-key", program: overtaking},
		{promise: 1, name: "a-retry-swaps-two-records", place: retrySwaps},
		{promise: 2, name: "latest-begins-in-the-past", program: latestInThePast},
		{promise: 2, name: "two-consumers-share", program: consumersShare},
		{promise: 3, name: "first-position-is-not-committed", program: firstPositionForgotten},
		{promise: 4, name: "what-a-leaving-member-held-is-lost", program: leaverTakesAlong},
		{promise: 4, name: "a-slow-member-hoards", acks: memory.ByMessage, program: memberHoards},
		{promise: 4, name: "a-rebalance-throws-work-away", place: revokedDoesNotWait},
		{promise: 4, name: "a-group-without-a-mode-reads-in-realtime", program: modelessIsRealtime},
		{promise: 4, name: "realtime-passes-a-group-over", program: realtimePassesGroup},
		{promise: 5, name: "seek-is-strictly-later", program: seekLater},
		{promise: 5, name: "after-the-highest-wraps", program: afterWraps},
		{promise: 5, name: "a-time-before-1970-is-the-end", program: earlyTimeIsTheEnd},
		{promise: 6, name: "an-old-commit-lands-after-a-move", program: oldCommitLands},
		{promise: 6, name: "a-stream-outlives-a-move", program: streamOutlivesMove},
		{promise: 7, name: "commit-passes-a-gap", acks: memory.ByMessage, program: commitPassesGap},
		{promise: 8, name: "reset-error-is-latest", program: resetErrorIgnored},
		{promise: 8, name: "start-wins-over-the-committed-position", program: startWins},
		{promise: 9, name: "headers-come-back-reversed", program: headersReversed},
		{promise: 9, name: "nil-and-empty-are-one", program: nilIsEmpty},
		{promise: 9, name: "a-distant-time-becomes-another", program: timeWraps},
		{promise: 10, name: "receipts-name-the-default-stream", program: receiptStream},
		{promise: 11, name: "flush-reports-nothing", program: flushSilent},
		{promise: 11, name: "close-reports-nothing", program: closeSilent},
		{promise: 11, name: "close-reports-once-more", program: closeReportsAgain},
		{promise: 12, name: "a-message-comes-twice-after-a-lost-connection", program: twiceAfterCut},
		{promise: 13, name: "a-new-shard-begins-with-its-second-message", groups: memory.Dealt, program: newShardLate},
		{promise: 14, name: "a-waiting-message-wins-over-an-ended-ctx", program: messageWins},
		{promise: 14, name: "the-second-close-fails", program: secondCloseFails},
		{promise: 15, name: "buffer-bytes-do-not-count", program: bufferUnbounded},
		{promise: 15, name: "a-small-window-stays-full", groups: memory.Dealt, program: windowStaysFull},
		{promise: 16, name: "what-is-skipped-is-not-reported", place: skippedUnreported},
		{promise: 16, name: "a-deleted-stream-is-an-error-of-no-kind", program: deletedNameless},
		{promise: 16, name: "create-always-does-not-wait", place: doesNotWait},
		{promise: 16, name: "a-stream-that-came-back-begins-with-its-second-message", program: comesBackLate},
		{promise: 17, name: "break-acknowledges", program: breakAcknowledges},
		{promise: 17, name: "next-acknowledges-the-previous", program: nextAcknowledges},
		{promise: 17, name: "what-a-slow-handler-gives-back-is-lost", acks: memory.ByMessage, program: givenBackIsLost},
		{promise: 18, name: "lag-is-one-too-many", program: lagLies},
		{promise: 18, name: "lag-counts-what-is-trimmed", place: lagCountsTrimmed},
		{promise: 18, name: "describe-shows-a-message-too-few", program: describeLies},
		{promise: 19, name: "a-second-owner-gets-in", program: secondOwner},
		{promise: 20, name: "an-error-shows-the-password", harness: takesSecrets("blab")},
	}
}

func init() {
	register := func(scheme string, reason func(u *streamer.URI) string) {
		engine.Register(scheme, func(_ context.Context, u *streamer.URI) (driver.Backend, streamer.StreamerOptions, error) {
			return nil, streamer.StreamerOptions{}, errors.New(reason(u))
		})
	}
	register("mum", func(u *streamer.URI) string { return "no access for " + u.User.Username() })
	register("blab", func(u *streamer.URI) string { password, _ := u.User.Password(); return "no access with " + password })
}

// takesSecrets gives the harness a URI with a password, for a scheme that can
// keep it or not.
func takesSecrets(scheme string) func(*conformance.Harness) {
	return func(h *conformance.Harness) {
		var without []conformance.Part
		for _, part := range h.Without {
			if part != conformance.Secrets {
				without = append(without, part)
			}
		}
		h.Without = without
		h.SecretURI = func(secret string) string {
			return scheme + "://" + url.UserPassword("user", secret).String() + "@host/orders?create=never"
		}
	}
}
