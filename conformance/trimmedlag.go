package conformance

import "github.com/gostreamer/streamer"

// trimmedLag: the first 10 of 60 messages are committed and the first 40 are
// trimmed. What is left to do are the other 20, and then, when they are done,
// nothing.
func trimmedLag(b *bed, o streamer.ConsumerOptions) {
	const left = 20
	b.trimmed(o)
	b.lags("Groups after trimming", b.theGroup().Lag, map[streamer.ShardID]int64{0: left})
	c := b.consumer(o)
	b.lags("Lag after trimming", asks(b, "Lag", c.Lag), map[streamer.ShardID]int64{0: left})
	ms := b.expect(c, span(60-left, 60)...)
	b.ack(ms[:left/2]...)
	b.commit(c)
	b.lags("Lag with half of the rest done", asks(b, "Lag", c.Lag), map[streamer.ShardID]int64{0: left / 2})
	b.ack(ms[left/2:]...)
	b.commit(c)
	b.lags("Lag with the rest done", asks(b, "Lag", c.Lag), map[streamer.ShardID]int64{0: 0})
	b.close(c)
	b.lags("Groups with the rest done", b.theGroup().Lag, map[streamer.ShardID]int64{0: 0})
}
