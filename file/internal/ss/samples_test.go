package ss

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"
)

// sample is what is known of a file of SeaStreamer's.
type sample struct {
	name, sum string
	header    Header
	counts    map[string]int // messages by stream and shard
	eos       bool
	beacons   []Beacon
}

var samples = []sample{
	{
		"sample-1.ss", "ef3d45be", Header{"vec_map-1694767177436.firedbg.ss", 1694767177437, 1 << 20},
		map[string]int{"file/0": 1, "breakpoint/0": 4, "event/0": 22}, true, nil,
	},
	{
		"consumer.ss", "c859d9ce", Header{"consumer-1691686154741", 1691686154742, 1024},
		map[string]int{"hello/1": 100}, true, []Beacon{
			{39, []Item{{Key: "hello", Shard: 1, Seq: 20, Running: 2887}}, 39, true},
			{44, []Item{{Key: "hello", Shard: 1, Seq: 42, Running: 61736}}, 39, true},
			{4, []Item{{Key: "hello", Shard: 1, Seq: 63, Running: 23018}}, 39, true},
			{9, []Item{{Key: "hello", Shard: 1, Seq: 85, Running: 62781}}, 39, true},
		},
	},
	{
		"quicksort.ss", "324641d1", Header{"quicksort-1691735325895", 1691735325896, 1 << 20},
		map[string]int{"quicksort/0": 42}, false, nil,
	},
}

// TestFilesOfSeaStreamer: what it wrote is read, to the last byte, and encoding
// what was read gives the same bytes.
func TestFilesOfSeaStreamer(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			file, err := os.ReadFile("testdata/seastreamer/" + s.name)
			if err != nil {
				t.Fatal(err)
			}
			if sum := fmt.Sprintf("%x", sha256.Sum256(file)); sum[:8] != s.sum {
				t.Fatalf("the file is not SeaStreamer's: SHA-256 %s", sum)
			}
			h, err := ParseHeader(file)
			if err != nil || h != s.header {
				t.Fatalf("header %+v, %v", h, err)
			}
			recs, damage := scan(t, file, h.Interval, HeaderSize)
			if len(damage) > 0 {
				t.Fatal(damage)
			}
			s.check(t, recs)
			s.checkBeacons(t, file)
			if again := encode(h, recs); !bytes.Equal(again, file) {
				t.Errorf("encoded again it differs at byte %d of %d", firstDifference(again, file), len(file))
			}
			if again := reference(h, recs); !bytes.Equal(again, file) {
				t.Errorf("encoded by the reference it differs at byte %d of %d", firstDifference(again, file), len(file))
			}
		})
	}
}

func (s *sample) check(t *testing.T, recs []rec) {
	t.Helper()
	eos := false
	counts := map[string]int{}
	for _, r := range recs {
		if eos = r.key == Internal && string(r.payload) == EOS; !eos {
			counts[fmt.Sprint(r.key, "/", r.shard)]++
		}
	}
	if eos != s.eos || fmt.Sprint(counts) != fmt.Sprint(s.counts) {
		t.Errorf("messages %v, want %v; end of stream: %v", counts, s.counts, eos)
	}
}

func (s *sample) checkBeacons(t *testing.T, file []byte) {
	t.Helper()
	for i, want := range s.beacons {
		b, err := ReadBeacon(bytes.NewReader(file), s.header.Interval, int64(i+1))
		if err != nil || len(b.Items) != 1 {
			t.Fatalf("beacon %d: %+v, %v", i+1, b, err)
		}
		b.Items[0].Time = 0
		if fmt.Sprint(b) != fmt.Sprint(want) {
			t.Errorf("beacon %d: %+v, want %+v", i+1, b, want)
		}
	}
}

// TestOneDamagedByteAnywhere costs at most what lies around the beacon interval
// that it is in. What is delivered is what was written: the right payload,
// whole, in order, once. (What a frame has before its payload has no checksum
// in this format.)
func TestOneDamagedByteAnywhere(t *testing.T) {
	const interval = 256
	recs := someRecs(23, 70, 3, 60)
	clean := encode(Header{"t.ss", 1, interval}, recs)
	pos := positions(t, clean, interval)
	most := 0
	for at := HeaderSize; at < len(clean); at++ {
		for _, flip := range []byte{0x01, 0x80, 0xFF, clean[at]} { // the last makes it zero
			file := bytes.Clone(clean)
			file[at] ^= flip
			got, _ := scan(t, file, interval, HeaderSize)
			missing := unharmed(t, recs, got, at)
			most = max(most, len(missing))
			for _, i := range missing {
				segment := at / interval
				if end := int(pos[i]) + int(FrameSize(len(recs[i].key), len(recs[i].payload))); end < (segment-1)*interval || int(pos[i]) >= (segment+2)*interval {
					t.Fatalf("byte %d, flip %02x: message %d at %d is lost", at, flip, i, pos[i])
				}
			}
		}
	}
	t.Logf("at most %d of %d messages were lost", most, len(recs))
}

// unharmed says which of recs are not in got. Those that are must be in order,
// with their payloads.
func unharmed(t *testing.T, recs, got []rec, at int) (missing []int) {
	t.Helper()
	for i, r := range recs {
		if len(got) > 0 && bytes.Equal(got[0].payload, r.payload) && (got[0].time == r.time || got[0].seq == r.seq) {
			got = got[1:]
		} else {
			missing = append(missing, i)
		}
	}
	if len(got) > 0 {
		t.Fatalf("byte %d: a message that nobody wrote, or out of order: %+v", at, got[0])
	}
	return missing
}
