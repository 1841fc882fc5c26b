package memory

import (
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// The engine drops what it has of a revoked shard: nothing of it may come
// afterwards.
func TestARevocationWaitsForWhatIsBeingEmitted(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	r.send("s", 0, 0, 10)
	rd := r.member("g", "a", streamer.Resumable)
	emitting, goOn := make(chan struct{}), make(chan struct{})
	fetched := make(chan error, 1)
	go func() {
		fetched <- rd.src.Fetch(t.Context(), func([]streamer.Message) {
			close(emitting)
			<-goOn
			rd.note("emitted")
		})
	}()
	<-emitting
	revoked := make(chan error, 1)
	go func() {
		_, err := r.log.Revoke("g", at("s", 0))
		revoked <- err
	}()
	r.eventually("the revocation waits", func() bool {
		r.log.mu.Lock()
		defer r.log.mu.Unlock()
		return base(rd.src).quiet != nil
	})
	close(goOn)
	r.ok(<-fetched)
	r.ok(<-revoked)
	equal(t, rd.log(), []string{"assigned 1", "emitted", "revoked 1 false"})
}

func TestACloseWaitsForTheSettling(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	rd := r.member("g", "a", streamer.LoadBalanced)
	inside, goOn := make(chan struct{}), make(chan struct{})
	rd.onTake = func([]streamer.StreamShard, bool) {
		close(inside)
		<-goOn
		rd.note("told")
	}
	go r.log.Revoke("g", at("s", 0))
	<-inside
	closed := make(chan error, 1)
	go func() {
		err := rd.src.Close(t.Context())
		rd.note("closed")
		closed <- err
	}()
	r.eventually("the close has begun", func() bool {
		r.log.mu.Lock()
		defer r.log.mu.Unlock()
		return base(rd.src).closed
	})
	close(goOn)
	r.ok(<-closed)
	equal(t, rd.log(), []string{"assigned 1", "revoked 1 false", "told", "closed"})
}

// While the loss is not told yet, a commit that fails by it can be repeated
// without the shard.
func TestACommitDuringALossIsFencedAndTransient(t *testing.T) {
	for _, acks := range []Acks{ByCursor, ByMessage} {
		r := newRig(t, Config{Acks: acks})
		r.create("s", 1)
		r.send("s", 0, 0, 2)
		rd := r.member("g", "a", streamer.Resumable)
		got := rd.read(2)
		var during error
		rd.onTake = func([]streamer.StreamShard, bool) { during = rd.finish(got[0]) }
		giveBack, err := r.log.Lose("g", at("s", 0))
		r.ok(err)
		r.is(during, streamer.ErrFenced)
		if _, ok := during.(*streamer.Error); ok {
			t.Error("the error is not marked as Transient")
		}
		r.is(rd.finish(got[0]), streamer.ErrFenced)
		giveBack()
		equal(t, rd.values(2), numbers(0, 2))
		Drop(t.Name())
	}
}

func TestWhatCannotBeHadIsUnsupportedAtOpen(t *testing.T) {
	r := newRig(t, Config{})
	r.create("s", 1)
	_, err := r.tryOpen(driver.SourceConfig{Streams: []string{"s"}, Mode: 9})
	r.is(err, streamer.ErrUnsupported)
	_, err = r.tryOpen(driver.SourceConfig{Streams: []string{"s"}, Mode: streamer.LoadBalanced, Group: "g", Start: streamer.End()})
	r.is(err, streamer.ErrUnsupported)
}

func TestAFallbackForSomeShardsLeavesTheOthersUnread(t *testing.T) {
	for _, mode := range []streamer.ConsumerMode{streamer.RealTime, streamer.Resumable} {
		r := newRig(t, Config{})
		r.create("s", 2)
		r.send("s", 0, 0, 3)
		r.send("s", 1, 10, 3)
		c := driver.SourceConfig{Streams: []string{"s"}, Mode: mode, Group: "g"}
		c.Fallback = streamer.Each(map[streamer.StreamShard]streamer.Position{at("s", 1): streamer.At(streamer.SeqUint(1))})
		rd := r.open(c)
		equal(t, rd.shards(), []streamer.ShardID{1})
		equal(t, rd.values(2), numbers(11, 2))
		Drop(t.Name())
	}
}
