package file

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/group"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// take reads n messages with a group, acknowledges them and closes.
func (r *rig) take(o streamer.ConsumerOptions, stream string, n int) []string {
	r.Helper()
	s := r.connect()
	c := r.consumer(s, o, stream)
	var got []string
	for range n {
		m := r.next(c)
		m.Ack()
		got = append(got, string(m.Value))
	}
	r.ok(s.Close())
	return got
}

func (r *rig) cursorPath(name, stream string, shard int) string {
	g := group.New(r.cfg.Path, name, false)
	return g.CursorPath(streamer.StreamShard{Stream: stream, Shard: streamer.ShardID(shard)})
}

func TestCursorIsReadable(t *testing.T) {
	r := newRig(t)
	r.produce("orders", numbers(0, 10)...)
	r.take(resumable("billing"), "orders", 7)
	b, err := os.ReadFile(r.cfg.Path + ".groups/billing/orders.0.cursor")
	r.ok(err)
	for _, line := range []string{"streamer position 1", `group "billing"`, `stream "orders"`, "shard 0", "done 7"} {
		if !strings.Contains(string(b), line+"\n") {
			t.Errorf("no line %q in\n%s", line, b)
		}
	}
}

func TestAnyGroupName(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(0, 10)...)
	names := []string{"g", "G", "with/slash", "..", ".", "a b", "%", "%41", "A", "ключ", strings.Repeat("long", 100), strings.Repeat("long", 100) + "er", "new\nline", "\xff"}
	for i, name := range names {
		r.same(name, r.take(resumable(name), "a", 1+i%3), numbers(0, 1+i%3))
	}
	for i, name := range names {
		r.same(name, r.take(resumable(name), "a", 1), numbers(1+i%3, 2+i%3))
	}
	groups, err := r.connect().Admin().Groups(r.ctx, "a")
	r.ok(err)
	if len(groups) != len(names) {
		t.Errorf("%d groups listed, want %d", len(groups), len(names))
	}
}

// TestBadCursor: a cursor that is damaged or another program's is an error that
// names the file; nothing is lost, and nothing else is affected.
func TestBadCursor(t *testing.T) {
	for name, spoil := range map[string]func(b []byte) []byte{
		"empty":   func([]byte) []byte { return nil },
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
		"a digit": func(b []byte) []byte { return bytes.Replace(b, []byte("done 5"), []byte("done 6"), 1) },
		"text":    func([]byte) []byte { return []byte("hello\n") },
		"huge":    func([]byte) []byte { return make([]byte, 1<<20) },
		"another group": func(b []byte) []byte {
			return (&group.Cursor{Group: "other", StreamShard: streamer.StreamShard{Stream: "a"}}).Append(nil)
		},
		"another shard": func(b []byte) []byte {
			return (&group.Cursor{Group: "g", StreamShard: streamer.StreamShard{Stream: "a", Shard: 1}}).Append(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.produce("a", numbers(0, 10)...)
			r.take(resumable("g"), "a", 5)
			path := r.cursorPath("g", "a", 0)
			good, err := os.ReadFile(path)
			r.ok(err)
			r.ok(os.WriteFile(path, spoil(bytes.Clone(good)), 0o644))
			o := resumable("g")
			o.Streams = []string{"a"}
			_, err = r.connect().Consumer(r.ctx, o)
			r.is(err, streamer.ErrInvalid)
			var e *CursorError
			if !errors.As(err, &e) || e.Path != path || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v", err)
			}
			r.same("another group", r.take(resumable("h"), "a", 10), numbers(0, 10))
			r.ok(os.WriteFile(path, good, 0o644))
			r.same("mended", r.take(resumable("g"), "a", 5), numbers(5, 10))
		})
	}
}

// TestRecreatedLog: the numbers of another log mean nothing in this one.
func TestRecreatedLog(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(0, 10)...)
	r.take(resumable("g"), "a", 7)
	r.ok(os.Remove(r.cfg.Path))
	f := newForeign(1 << 10)
	f.send("a", "new 1", "new 2")
	r.write(f.b)
	o := resumable("g")
	o.AutoReset, o.Streams = streamer.ResetError, []string{"a"}
	_, err := r.connect().Consumer(r.ctx, o)
	r.is(err, streamer.ErrPositionGone)
	r.same("the new log", r.take(resumable("g"), "a", 2), []string{"new 1", "new 2"})
	if len(r.gone) != 1 || r.gone[0].Wanted != streamer.SeqUint(8) {
		t.Errorf("gone: %+v", r.gone)
	}
}

// TestShortenedLog: a position behind the end of a log that lost its end, as
// without sync= it can with the power. What is written then is not skipped.
func TestShortenedLog(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(0, 10)...)
	r.take(resumable("g"), "a", 10)
	b := r.read()
	r.write(b[:ss.HeaderSize+3*34]) // 34 bytes each
	o := resumable("g")
	o.AutoReset, o.Streams = streamer.ResetError, []string{"a"}
	_, err := r.connect().Consumer(r.ctx, o)
	r.is(err, streamer.ErrPositionGone)
	c := r.consumer(r.connect(), resumable("g"), "a")
	if len(r.gone) != 1 || r.gone[0].Wanted != streamer.SeqUint(11) || r.gone[0].Got != streamer.SeqUint(4) {
		t.Errorf("gone: %+v", r.gone)
	}
	if m := r.produce("a", "new"); m[0].Seq != streamer.SeqUint(4) {
		t.Errorf("seq %v", m[0].Seq)
	}
	r.expect(c, "new")
}

// TestCopiedLog: offsets of a cursor are not used in a log that starts
// otherwise; the number is right all the same.
func TestCopiedLog(t *testing.T) {
	r := newRig(t)
	p := r.producer(r.connect(), "")
	for i := range 100 {
		r.send(p, streamer.Record{Stream: "a", Value: fmt.Append(nil, i)}, streamer.Record{Stream: "b", Value: bytes.Repeat([]byte("x"), 20)})
	}
	r.ok(p.Close())
	r.take(resumable("g"), "a", 60)
	rewrite(t, r.cfg.Path, func(f *ss.Frame) bool { return string(f.Key) == "b" })
	r.same("after the rewrite", r.take(resumable("g"), "a", 40), numbers(60, 100))
	if len(r.gone) != 0 {
		t.Errorf("gone: %+v", r.gone)
	}
}

// TestSeveralStreamsInAGroup: each member gets messages of each stream (defect
// 5), and each stream has its position.
func TestSeveralStreamsInAGroup(t *testing.T) {
	r := newRig(t)
	s := r.connect()
	p := r.producer(s, "")
	for i := range 200 {
		r.send(p, streamer.Record{Stream: []string{"a", "b"}[i%2], Value: fmt.Append(nil, i)})
	}
	o := resumable("g")
	o.Mode = streamer.LoadBalanced
	members := []streamer.Consumer{r.consumer(s, o, "a", "b"), r.consumer(r.connect(), o, "a", "b")}
	seen := map[string]int{}
	streams := [2]map[string]bool{{}, {}}
	for i := range 200 {
		m := r.next(members[i%2])
		seen[string(m.Value)]++
		streams[i%2][m.Stream] = true
		m.Ack()
	}
	if len(seen) != 200 || len(streams[0]) != 2 || len(streams[1]) != 2 {
		t.Errorf("%d messages, streams %v", len(seen), streams)
	}
}

// TestWildcardInAGroup: streams that appear later are read from their
// beginning, also those that appeared while no consumer ran.
func TestWildcardInAGroup(t *testing.T) {
	r := newRig(t)
	o := resumable("g")
	o.AutoReset = streamer.Latest
	r.produce("old", "before")
	s := r.connect()
	c := r.consumer(s, o, wildcard)
	r.produce("old", "1")
	r.produce("new", "2")
	for _, m := range r.expect(c, "1", "2") {
		m.Ack()
	}
	_, err := r.connect().Consumer(r.ctx, streamer.ConsumerOptions{Streams: []string{wildcard}, Mode: streamer.Resumable, Group: "g"})
	r.is(err, streamer.ErrBusy)
	r.ok(s.Close())
	r.produce("newer", "3", "4")
	r.produce("old", "5")
	c = r.consumer(r.connect(), o, wildcard)
	got := map[string]bool{}
	for range 3 {
		got[string(r.next(c).Value)] = true
	}
	if !got["3"] || !got["4"] || !got["5"] {
		t.Errorf("got %v", got)
	}
}

// TestWildcardGroupOnAnEmptyLog: the position is committed before Consumer
// returns although no stream exists that it could be of.
func TestWildcardGroupOnAnEmptyLog(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Create = streamer.CreateAlways })
	o := resumable("g")
	o.AutoReset = streamer.Latest
	s := r.connect()
	r.consumer(s, o, wildcard)
	r.ok(s.Close())
	r.produce("a", "1", "2")
	r.expect(r.consumer(r.connect(), o, wildcard), "1", "2")
}

// TestIdleShardsMoveUp: a shard in which nothing happens does not make the
// group read the whole log again.
func TestIdleShardsMoveUp(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Shards = 2 })
	p := r.producer(r.connect(), "a")
	zero, one := streamer.ShardID(0), streamer.ShardID(1)
	r.send(p, streamer.Record{Shard: &one, Value: []byte("idle")})
	for i := range 500 {
		r.send(p, streamer.Record{Shard: &zero, Value: fmt.Append(nil, i)})
	}
	r.take(resumable("g"), "a", 501)
	size := int64(len(r.read()))
	for shard := range 2 {
		c, err := group.LoadCursor(r.cursorPath("g", "a", shard))
		r.ok(err)
		if c.Resume != size || c.Seen > size {
			t.Errorf("shard %d: %+v, the log has %d bytes", shard, c, size)
		}
	}
	r.send(p, streamer.Record{Shard: &one, Value: []byte("more")})
	r.same("what is left", r.take(resumable("g"), "a", 1), []string{"more"})
}

// TestPartsOfAStream: consumers of one group on different shards are different
// owners, and one of all shards is refused meanwhile.
func TestPartsOfAStream(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Shards = 2 })
	r.produce("a", numbers(0, 10)...)
	o := resumable("g")
	o.Shards = []streamer.ShardID{0}
	s := r.connect()
	c0 := r.consumer(s, o, "a")
	o.Shards = []streamer.ShardID{1}
	c1 := r.consumer(s, o, "a")
	o.Shards, o.Streams = nil, []string{"a"}
	_, err := s.Consumer(r.ctx, o)
	r.is(err, streamer.ErrBusy)
	for range 5 {
		r.next(c0).Ack()
		r.next(c1).Ack()
	}
	r.ok(c0.Close())
	r.ok(c1.Close())
	r.produce("a", "10", "11")
	if got := r.take(resumable("g"), "a", 2); len(got) != 2 {
		t.Errorf("got %q", got)
	}
	o.Shards = []streamer.ShardID{7}
	_, err = s.Consumer(r.ctx, o)
	r.is(err, streamer.ErrNotFound)
}

// TestTornCursor: a crash between writing a cursor and putting it in its place
// leaves the old one.
func TestTornCursor(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(0, 10)...)
	r.take(resumable("g"), "a", 5)
	r.ok(os.WriteFile(r.cursorPath("g", "a", 0)+".new", []byte("streamer pos"), 0o644))
	r.same("messages", r.take(resumable("g"), "a", 5), numbers(5, 10))
}

func TestEscapeNameIsSafeAndUnique(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"", "a", "A", "..", ".", "...", ".a", "a.", "/", "\\", "%", "%2F", "a/b", "a%2Fb", strings.Repeat("x", 150), strings.Repeat("x", 151),
		strings.Repeat("x", 152), strings.Repeat("/", 100), "con", "*", "a:b"} {
		e := group.DirName(name)
		if other, ok := seen[e]; ok {
			t.Errorf("%q and %q are both %q", name, other, e)
		}
		seen[e] = name
		if e == "" || e[0] == '.' || len(e) > 255 || filepath.Base(e) != e || strings.ContainsAny(e, `/\:*?"<>|`) {
			t.Errorf("%q becomes %q", name, e)
		}
	}
}

func TestAdminOfGroups(t *testing.T) {
	r := newRig(t)
	r.produce("a", numbers(0, 10)...)
	r.take(resumable("g"), "a", 4)
	a := r.connect().Admin()
	r.is(a.DeleteGroup(r.ctx, "a", "none"), streamer.ErrNotFound)
	r.is(a.ResetGroup(r.ctx, "a", "none", streamer.End()), streamer.ErrNotFound)
	r.ok(a.ResetGroup(r.ctx, "a", "g", streamer.At(streamer.SeqUint(3))))
	r.same("after ResetGroup", r.take(resumable("g"), "a", 2), numbers(2, 4))
	s := r.connect()
	r.consumer(s, resumable("g"), "a")
	groups, err := a.Groups(r.ctx, "a")
	r.ok(err)
	if len(groups) != 1 || groups[0].Members != 1 || groups[0].Lag[0].Messages != 6 {
		t.Errorf("groups: %+v", groups)
	}
	r.ok(s.Close())
	r.ok(a.DeleteGroup(r.ctx, "a", "g"))
	if entries, _ := os.ReadDir(group.Dir(r.cfg.Path)); len(entries) > 0 {
		t.Errorf("%v is left", entries)
	}
	r.same("a deleted group", r.take(resumable("g"), "a", 1), numbers(0, 1))
}

func TestAdminOfStreams(t *testing.T) {
	r := newRig(t)
	a := r.connect().Admin()
	_, err := a.Streams(r.ctx, "")
	r.is(err, streamer.ErrNotFound)
	r.ok(a.Create(r.ctx, "made", 3))
	r.is(a.Create(r.ctx, "made", 1), streamer.ErrExists)
	r.is(a.Create(r.ctx, "SEA_STREAMER_X", 1), streamer.ErrInvalid)
	r.is(a.Create(r.ctx, "a/b", 1), streamer.ErrInvalid)
	r.is(a.Delete(r.ctx, "made"), streamer.ErrUnsupported)
	r.produce("sent", numbers(0, 3)...)
	r.is(a.Create(r.ctx, "sent", 1), streamer.ErrExists)
	names, err := a.Streams(r.ctx, "")
	r.ok(err)
	r.same("streams", names, []string{"made", "sent"})
	info, err := a.Describe(r.ctx, "made")
	r.ok(err)
	if len(info.Shards) != 3 || info.Shards[2].First != info.Shards[2].Next {
		t.Errorf("%+v", info)
	}
	r.same("messages", values(r.all(wildcard)), numbers(0, 3)) // a declaration is no message
}
