package conformance

// checkFaults fails a harness that leaves out a fault without saying that the
// backend is without it, or that gives one which it says cannot happen.
func (b *bed) checkFaults() {
	b.Helper()
	f := &b.place.Faults
	for _, have := range []struct {
		part  Part
		given bool
	}{
		{Connection, f.Cut != nil && f.Mend != nil && f.Slow != nil},
		{Restart, f.Restart != nil},
		{Trimming, f.Trim != nil},
		{NewShards, f.AddShard != nil},
		{Poisoning, f.Poison != nil},
		{Deletion, f.Delete != nil && f.Create != nil && f.Always != nil},
		{GroupLoss, f.DropGroup != nil},
		{Fencing, f.Lose != nil},
		{Denial, f.Deny != nil},
		{WrongType, f.WrongType != nil},
		{Absence, f.Missing != nil},
		{Killing, b.place.URI != ""},
	} {
		switch without := b.lacks(have.part); {
		case have.given && without:
			b.Fatalf("harness %q is without %s and yet gives it", b.Harness.Name, have.part)
		case !have.given && !without:
			b.Fatalf("harness %q neither gives %s nor says that it is without", b.Harness.Name, have.part)
		}
	}
}
