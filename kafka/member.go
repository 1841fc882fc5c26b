package kafka

import (
	"context"
	"errors"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// member is a source whose shards a consumer group gives and takes away.
type member struct {
	*source
	deferred map[streamer.StreamShard]deferredStart // of shards whose leader could not be asked when the source was opened
	joining  sync.Once
	joined   chan struct{} // closed when the group has answered
	refusal  error         // why it will not have us; set before joined is closed

	tenure context.Context    // ends when the shards are lost, and commits with it; source.mu guards it
	expire context.CancelFunc // of tenure
}

var (
	_ driver.CursorCommitter   = (*member)(nil)
	_ kgo.HookGroupManageError = (*member)(nil)
	_ kgo.HookBrokerConnect    = (*member)(nil)
)

const (
	// heartbeatEvery is Java's. Less where the session time-out is short.
	heartbeatEvery = 3 * time.Second
	// heartbeatsPerSession is how many may go missing but one.
	heartbeatsPerSession = 3
)

// openMember joins the group. It returns when the group has answered: the first
// shards are known, though they may be none.
func (b *backend) openMember(ctx context.Context, cfg driver.SourceConfig) (driver.Source, error) {
	if err := checkGroup(cfg.Group); err != nil {
		return nil, err
	}
	p, err := b.plan(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	pending, err := b.anchor(ctx, &cfg, p)
	if err != nil {
		return nil, err
	}
	m := &member{source: b.newSource(cfg, p), deferred: p.deferred, joined: make(chan struct{})}
	m.tenure, m.expire = context.WithCancel(context.Background())
	m.grouped, m.secure = true, m.commit
	for at := range p.fresh {
		m.starts[at] = p.starts[at]
	}
	if err := m.open(m.opts()...); err != nil {
		return nil, err
	}
	if err := m.join(ctx, pending); err != nil {
		m.end(err)
		b.work.Go(m.leave)
		return nil, err
	}
	for at, err := range p.left {
		m.leaderless(at, err)
	}
	m.watch()
	return m, nil
}

// leaveTime is how long a member that could not be opened tries to say so to
// the group.
const leaveTime = 5 * time.Second

// leave closes the client of a member that could not be opened. The one who
// opened it does not wait.
func (m *member) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	_ = m.closeClient(ctx) // that it was not opened is said already
}

// anchor commits the starts of shards without a commit, which Kafka allows
// while nothing is in the group. Else they are left for later.
func (b *backend) anchor(ctx context.Context, cfg *driver.SourceConfig, p *plan) (pending map[streamer.StreamShard]place, err error) {
	fresh := p.places("")
	maps.DeleteFunc(fresh, func(at streamer.StreamShard, _ place) bool { return !p.fresh[at] })
	err = reach(ctx, func() error {
		return retryWhileLoading(ctx, func() error { return b.commit(ctx, alone(cfg.Group), p.topics, fresh) })
	})
	if isMemberError(err) {
		maps.DeleteFunc(fresh, func(at streamer.StreamShard, _ place) bool { _, gone := p.gone[at]; return gone })
		return fresh, nil
	}
	if err != nil {
		return nil, b.explain(ctx, err)
	}
	for at, wanted := range p.gone {
		cfg.Gone(at, seqOf(wanted), seqOf(p.starts[at].offset))
	}
	return nil, nil
}

func (m *member) opts() []kgo.Opt {
	c := &m.b.cfg
	opts := []kgo.Opt{
		kgo.ConsumerGroup(m.cfg.Group),
		kgo.ConsumeTopics(m.cfg.Streams...),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), // of a shard that is new to the group
		kgo.BlockRebalanceOnPoll(),
		kgo.DisableAutoCommit(),
		kgo.SessionTimeout(c.SessionTimeout),
		kgo.HeartbeatInterval(min(heartbeatEvery, c.SessionTimeout/heartbeatsPerSession)),
		kgo.Balancers(c.groupBalancers()...),
		kgo.OnPartitionsAssigned(func(_ context.Context, cl *kgo.Client, gained map[string][]int32) { m.gain(cl, gained) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { m.giveUp(gone) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { m.lose(gone) }),
		kgo.AdjustFetchOffsetsFn(m.adjust),
		kgo.WithHooks(m),
	}
	if c.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(c.InstanceID))
	}
	return opts
}

func (c *Config) groupBalancers() []kgo.GroupBalancer {
	all := make([]kgo.GroupBalancer, len(c.Balancers))
	for i, b := range c.Balancers {
		switch b {
		case CooperativeSticky:
			all[i] = kgo.CooperativeStickyBalancer()
		case Sticky:
			all[i] = kgo.StickyBalancer()
		case Range:
			all[i] = kgo.RangeBalancer()
		case RoundRobin:
			all[i] = kgo.RoundRobinBalancer()
		}
	}
	return all
}

// join waits for the group's first answer and commits what could not be
// committed from outside.
func (m *member) join(ctx context.Context, pending map[streamer.StreamShard]place) error {
	select {
	case <-m.joined:
	case <-ctx.Done():
		return ctx.Err()
	}
	if m.refusal != nil || len(pending) == 0 {
		return m.refusal
	}
	err := retryWhileLoading(ctx, func() error { return m.anchorInside(ctx, pending) })
	if isMemberError(err) { // the group is being shared again: the owner of the shards commits them
		return nil
	}
	return m.b.explain(ctx, err)
}

// anchorInside commits as a member, but nothing that another member has
// committed meanwhile.
func (m *member) anchorInside(ctx context.Context, pending map[streamer.StreamShard]place) error {
	places, err := m.b.committed(ctx, m.cfg.Group, m.cfg.Streams)
	if err != nil {
		return err
	}
	maps.DeleteFunc(pending, func(at streamer.StreamShard, _ place) bool { _, ok := places[at]; return ok })
	return m.b.commit(ctx, m.committer(), m.known(), pending)
}

// OnGroupManageError implements kgo.HookGroupManageError.
func (m *member) OnGroupManageError(err error) {
	if lastingInGroup(err) {
		m.answered(typed(err))
		return
	}
	m.cfg.Retrying("join group", typed(err), 0)
}

// OnBrokerConnect implements kgo.HookBrokerConnect. A running member waits for
// other credentials; a member that opens does not.
func (m *member) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if errors.Is(err, kerr.SaslAuthenticationFailed) {
		m.answered(typed(err))
	}
}

// answered ends the wait for the group's first answer.
func (m *member) answered(refusal error) {
	m.joining.Do(func() {
		m.refusal = refusal
		close(m.joined)
	})
}

// gain takes shards over. The client keeps a pause over a rebalance; the engine
// starts afresh with a shard that comes back.
func (m *member) gain(cl *kgo.Client, gained map[string][]int32) {
	cl.ResumeFetchPartitions(gained)
	m.mu.Lock()
	for _, at := range shardsIn(gained) {
		m.shards[at] = deferredStart{}.await() // see adjust
	}
	m.mu.Unlock()
	m.assigned()
	m.answered(nil)
	m.cfg.Retrying("join group", nil, 0)
}

// giveUp ends the work on shards and commits what is done, before another
// member gets them.
func (m *member) giveUp(gone map[string][]int32) {
	shards := m.owned(gone)
	if len(shards) == 0 {
		return
	}
	m.cfg.Revoked(shards, false)
	m.drop(shards)
}

// lose ends the work on shards that another member may have already.
func (m *member) lose(gone map[string][]int32) {
	shards := m.owned(gone)
	if len(shards) == 0 {
		return
	}
	m.mu.Lock()
	m.expire() // what is on its way is refused, and holds up the commits of what comes next
	m.tenure, m.expire = context.WithCancel(context.Background())
	m.mu.Unlock()
	m.drop(shards)
	m.cfg.Revoked(shards, true)
}

// owned is what the engine has of shards that the group takes away: not those
// of a topic that was deleted.
func (m *member) owned(gone map[string][]int32) []streamer.StreamShard {
	m.mu.Lock()
	defer m.mu.Unlock()
	var shards []streamer.StreamShard
	for _, at := range shardsIn(gone) {
		if m.shards[at] != nil {
			shards = append(shards, at)
		}
		if m.retired[at] {
			delete(m.retired, at)
			m.lookNow()
		}
	}
	return shards
}

func (m *member) drop(shards []streamer.StreamShard) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, at := range shards {
		delete(m.shards, at)
	}
}

func shardsIn(partitions map[string][]int32) []streamer.StreamShard {
	var all []streamer.StreamShard
	for topic, ids := range partitions {
		for _, id := range ids {
			all = append(all, shardOf(topic, id))
		}
	}
	return all
}

// adjust says where the shards that were gained start.
func (m *member) adjust(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for topic, partitions := range offsets {
		for id, o := range partitions {
			at := shardOf(topic, id)
			committed := position{o.EpochOffset().Offset, o.EpochOffset().Epoch}
			sh, offset := m.place(at, committed)
			if offset != nil {
				partitions[id] = *offset
			}
			if m.shards[at] != nil {
				m.shards[at] = sh
			}
		}
	}
	return offsets, nil
}

// place is a shard that was gained, and where the client is to start when that
// is not at what is committed. mu is held.
func (m *member) place(at streamer.StreamShard, committed position) (*shard, *kgo.Offset) {
	if committed.offset >= 0 {
		return newShard(committed), nil
	}
	if start, ok := m.starts[at]; ok {
		offset := start.consume()
		return newShard(start), &offset
	}
	l := m.deferred[at]
	if _, ok := m.deferred[at]; !ok {
		return l.await(), nil
	}
	return l.await(), &l.start
}

// committer is who this member is now.
func (m *member) committer() committer {
	id, generation := m.cl.GroupMetadata()
	c := committer{group: m.cfg.Group, member: id, generation: generation}
	if m.b.cfg.InstanceID != "" {
		c.instance = &m.b.cfg.InstanceID
	}
	return c
}

// CommitCursors implements driver.CursorCommitter.
func (m *member) CommitCursors(ctx context.Context, upTo []driver.Mark) error {
	topics := m.known()
	upTo = m.void(upTo)
	by := m.committer() // before the shards are looked at: if one is lost in between, the broker refuses this generation
	at, lost := m.places(upTo)
	err := m.commitAs(ctx, by, topics, at, lost) // of a lost shard the engine is just being told
	if isMemberError(err) && ctx.Err() == nil {
		return driver.Transient(typed(err), errorPause) // the client finds out by itself what it has lost
	}
	return m.refused(ctx, err)
}

// commit commits positions of shards that the member has.
func (m *member) commit(ctx context.Context, at map[streamer.StreamShard]position) error {
	return m.commitAs(ctx, m.committer(), m.known(), at, false)
}

func (m *member) commitAs(ctx context.Context, by committer, topics map[string]topic, at map[streamer.StreamShard]position, lost bool) error {
	m.mu.Lock()
	tenure := m.tenure
	m.mu.Unlock()
	places := make(map[streamer.StreamShard]place, len(at))
	for shard, p := range at {
		places[shard] = place{position: p}
	}
	committing, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(tenure, cancel)()
	err := retryWhileLoading(committing, func() error { return m.b.commit(committing, by, topics, places) })
	switch {
	case err != nil && tenure.Err() != nil || err == nil && lost:
		return kerr.IllegalGeneration
	case err == nil:
		m.committed(at)
	}
	return err
}

// Lag implements driver.Lagger, relative to the group's committed positions.
func (m *member) Lag(ctx context.Context) ([]streamer.ShardLag, error) {
	places, err := m.b.committed(ctx, m.cfg.Group, m.cfg.Streams)
	if err != nil {
		return nil, err
	}
	at := m.positions()
	for sh := range at {
		if p, ok := places[sh]; ok {
			at[sh] = p.position
		}
	}
	return m.lagBehind(ctx, at)
}
