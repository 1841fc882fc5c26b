package conformance

import "github.com/gostreamer/streamer"

// written is the same choice of mode and group, made in several places.
type written struct {
	where   string
	program streamer.ConsumerOptions // the Streamer's defaults, as the URI sets them
	call    streamer.ConsumerOptions
}

// groupWithoutMode: a group that no mode stands beside divides the work, in the
// call as in the program's defaults. Two consumers in RealTime would both get
// everything that is sent while they are open.
func groupWithoutMode(b *bed) {
	const shards, n = 2, 100
	b.open(Plan{Shards: shards})
	places := []written{
		{where: "in the call", call: streamer.ConsumerOptions{Group: b.group}},
		{where: "in the program", program: streamer.ConsumerOptions{Group: b.group + "-program"}},
	}
	groups := make([][]streamer.Consumer, len(places))
	for i, w := range places {
		o := b.balanced()
		o.Mode, o.Group = 0, w.call.Group
		for range 2 {
			groups[i] = append(groups[i], b.consumerOn(b.connect(defaults(w.program)), o))
		}
		b.settle(groups[i]...)
	}
	b.sendN(0, n, shards)
	for i, w := range places {
		t := tally{}
		if d := duplicates(b.gather(n, t.enter, groups[i]...)); d > 0 {
			b.Fatalf("a group without a mode %s: %d messages reached two members", w.where, d)
		}
	}
}

// realtimeWithGroup is refused wherever each is written, unless a mode that has
// a use for the group is what RealTime takes the place of.
func realtimeWithGroup(b *bed) {
	b.open(Plan{})
	mode, group := streamer.ConsumerOptions{Mode: streamer.RealTime}, streamer.ConsumerOptions{Group: b.group}
	both := streamer.ConsumerOptions{Mode: streamer.RealTime, Group: b.group}
	for _, w := range []written{
		{"both in the call", streamer.ConsumerOptions{}, both},
		{"both in the program", both, streamer.ConsumerOptions{}},
		{"the mode in the program", mode, group},
		{"the group in the program", group, mode},
	} {
		_, err := b.tryConsumer(b.connect(defaults(w.program)), w.call)
		b.is("RealTime with a group, "+w.where, err, streamer.ErrInvalid)
	}
}

func defaults(o streamer.ConsumerOptions) func(*streamer.StreamerOptions) {
	return func(s *streamer.StreamerOptions) { s.Consumer = o }
}
