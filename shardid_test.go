package streamer

import (
	"encoding/json"
	"errors"
	"testing"
)

// TestAShardInJSONIsWhatEveryReaderCanHold: those of JSON that know float64
// alone hold no integer above 2^53.
func TestAShardInJSONIsWhatEveryReaderCanHold(t *testing.T) {
	for shard, want := range map[ShardID]string{
		0:          "0",
		7:          "7",
		1<<53 - 1:  "9007199254740991",
		1 << 53:    `"9007199254740992"`,
		1<<64 - 2:  `"18446744073709551614"`,
		PlainShard: `"plain"`,
	} {
		text, err := json.Marshal(StreamShard{"s", shard})
		if err != nil || string(text) != `{"Stream":"s","Shard":`+want+`}` {
			t.Errorf("%d: %s, %v; want %s", uint64(shard), text, err, want)
		}
		var back StreamShard
		if err := json.Unmarshal(text, &back); err != nil || back.Shard != shard {
			t.Errorf("%s came back as %d, %v", text, uint64(back.Shard), err)
		}
		if parsed, err := ParseShardID(shard.String()); err != nil || parsed != shard {
			t.Errorf("%v came back as %d, %v", shard, uint64(parsed), err)
		}
	}
	var s ShardID
	if err := json.Unmarshal([]byte("18446744073709551615"), &s); err != nil || s != PlainShard {
		t.Errorf("the number of the plain shard: %d, %v", uint64(s), err)
	}
	for _, text := range []string{"", "-1", "1.5", "Plain", "18446744073709551616", "0x1", " 1"} {
		if _, err := ParseShardID(text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
