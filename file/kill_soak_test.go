package file

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/file/internal/logfile"
)

// TestSIGKILLAtRandomPoints kills a writing process again and again, at any
// moment from its start on, under each policy of Config.Sync, in one file and
// in segments. Every record whose receipt was seen is there, whole and once,
// numbers have no gaps, and nothing in the log is damaged but, at its end, what
// the next writer cuts off. STREAMER_SOAK=1 makes it 300 kills.
func TestSIGKILLAtRandomPoints(t *testing.T) {
	kills, seed := 50, uint64(time.Now().UnixNano())
	if os.Getenv("STREAMER_SOAK") != "" {
		kills = 300
	}
	t.Logf("%d kills, seed %d", kills, seed)
	k := &killer{rnd: rand.New(rand.NewPCG(seed, 0))}
	policies := []time.Duration{0, SyncAlways, 5 * time.Millisecond}
	for turn := range kills {
		if turn%5 == 0 {
			k.rig = []func(*testing.T, ...func(*Config)) *rig{newRig, newSegmented}[turn/5%2](t, func(c *Config) { c.Sync = policies[turn/5%3] })
			k.promised = map[string]bool{}
		}
		k.renew()
		k.kill(turn)
		k.check()
	}
	t.Logf("%d of %d kills hit a writer with receipts outstanding; %d promises kept", k.busy, kills, k.kept)
	if 2*k.busy < kills {
		t.Errorf("only %d of %d kills hit a writer with receipts outstanding", k.busy, kills)
	}
	if len(k.skipped) > 0 {
		t.Errorf("skips: %v", k.skipped)
	}
}

type killer struct {
	*rig
	rnd      *rand.Rand
	promised map[string]bool // values of records whose receipts said stored
	busy     int
	kept     int
}

// kill runs a writer for a random time: one in eight is killed while it starts.
func (k *killer) kill(turn int) {
	k.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childVariable+"=soak "+k.cfg.Path, fmt.Sprintf("%s=%d %d %d %d", soakVariable, k.cfg.Sync, k.cfg.Segment*16, k.rnd.Uint32(), turn))
	out, err := cmd.StdoutPipe()
	k.ok(err)
	k.ok(cmd.Start())
	life := time.Duration(k.rnd.IntN(60_000)) * time.Microsecond
	lines := bufio.NewScanner(out)
	if turn%8 == 0 {
		defer time.AfterFunc(life, func() { _ = cmd.Process.Kill() }).Stop()
	}
	sent, stored := "", ""
	for lines.Scan() {
		word, value, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "open":
			if turn%8 != 0 {
				defer time.AfterFunc(life, func() { _ = cmd.Process.Kill() }).Stop()
			}
		case "sent":
			sent = value
		case "stored":
			stored = value
			k.promised[value] = true
		case "error":
			k.Fatalf("the child: %s", value)
		}
	}
	_ = cmd.Wait()
	if sent != stored {
		k.busy++
	}
}

// check holds the log against the promises, as the kill has left it.
func (k *killer) check() {
	k.Helper()
	v, err := logfile.OpenView(k.cfg.Path)
	if os.IsNotExist(err) && len(k.promised) == 0 {
		return // killed before it had made the log
	}
	k.ok(err)
	if v == nil {
		return // killed while it made the log
	}
	v.Close()
	found, last := map[string]bool{}, map[streamer.StreamShard]uint64{}
	for _, m := range k.all("*") {
		id, key, _ := strings.Cut(string(m.Value), " ")
		key, _, _ = strings.Cut(key, " ")
		at := streamer.StreamShard{Stream: m.Stream, Shard: m.Shard}
		if last[at]++; m.Seq != streamer.SeqUint(last[at]) || string(m.Key) != key || found[id] {
			k.Fatalf("%v: number %v follows %d, key %q of %q, a second copy: %v", at, m.Seq, last[at]-1, m.Key, key, found[id])
		}
		found[id] = true
	}
	for id := range k.promised {
		if !found[id] {
			k.Fatalf("%s was stored and is not there", id)
		}
	}
	k.kept += len(k.promised)
	if k.cfg.Segment > 0 {
		k.soundSegments("after a kill")
	} else {
		k.sound("after a kill")
	}
}

const soakVariable = "STREAMER_FILE_SOAK" // sync policy, size of segments, seed and turn of a child

// childSoaks stores records of all kinds as fast as it can and says what it has
// sent and what is stored, until it is killed.
func childSoaks(path string) error {
	var policy time.Duration
	var segment int64
	var seed, turn uint64
	if _, err := fmt.Sscan(os.Getenv(soakVariable), &policy, &segment, &seed, &turn); err != nil {
		return err
	}
	ctx := context.Background()
	s, err := Connect(ctx, Config{Path: path, Beacon: 2 << 10, Sync: policy, Shards: 2, Segment: segment}, streamer.StreamerOptions{})
	if err != nil {
		return err
	}
	p, err := s.Producer(ctx, streamer.ProducerOptions{MaxBuffered: 300})
	if err != nil {
		return err
	}
	fmt.Println("open")
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i := 0; ; i++ {
		id := fmt.Sprintf("%d-%d", turn, i)
		rec := streamer.Record{Stream: string(rune('a' + rnd.IntN(3)))}
		key := ""
		if rnd.IntN(2) == 0 {
			key = fmt.Sprint("k", rnd.IntN(10))
			rec.Key = []byte(key)
		}
		rec.Value = fmt.Append(nil, id, " ", key, " ", strings.Repeat("x", rnd.IntN(1<<rnd.IntN(14))))
		fmt.Println("sent", id)
		p.Send(ctx, rec).OnDone(func(_ streamer.Meta, err error) {
			if err != nil {
				fmt.Println("error", err)
				return
			}
			fmt.Println("stored", id)
		})
	}
}
