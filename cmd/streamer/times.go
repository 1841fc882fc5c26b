package main

import "time"

// aheadOfNow is how far other clocks may be ahead of this one.
const aheadOfNow = 10 * time.Minute

// keptTimes is what is known of the times that a target keeps. One that keeps
// times at all keeps those around now: a limit that it has is somewhere before
// that or after it. The zero time is none.
type keptTimes struct {
	early, late               time.Time // the earliest and the latest that it has kept
	refusedEarly, refusedLate time.Time // the latest early one, and the earliest late one, that it has refused
}

func isLate(t time.Time) bool { return t.After(time.Now().Add(aheadOfNow)) }

// keeps says that the target is known to keep t.
func (k *keptTimes) keeps(t time.Time) bool {
	if isLate(t) {
		return !k.late.IsZero() && !t.After(k.late)
	}
	return !k.early.IsZero() && !t.Before(k.early)
}

// refuses says that it is known not to.
func (k *keptTimes) refuses(t time.Time) bool {
	if isLate(t) {
		return !k.refusedLate.IsZero() && !t.Before(k.refusedLate)
	}
	return !k.refusedEarly.IsZero() && !t.After(k.refusedEarly)
}

// learn notes what became of a time.
func (k *keptTimes) learn(t time.Time, kept bool) {
	late := isLate(t)
	switch {
	case kept && k.keeps(t): // as was known
	case kept && late:
		k.late = t
	case kept:
		k.early = t
	case late:
		k.refusedLate = t
	default:
		k.refusedEarly = t
	}
}

// anyRefused says that some time was refused.
func (k *keptTimes) anyRefused() bool { return !k.refusedEarly.IsZero() || !k.refusedLate.IsZero() }
