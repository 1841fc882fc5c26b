package ndjson_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/ndjson"
)

// FuzzParseNDJSON: any bytes; what is taken is JSON, and comes back equal
// through Append.
func FuzzParseNDJSON(f *testing.F) {
	for _, c := range forms {
		f.Add([]byte(c.line))
	}
	for line := range foreign {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		l, err := ndjson.Parse(line)
		if err != nil {
			return
		}
		if !json.Valid(line) {
			t.Fatalf("%q is not JSON", line)
		}
		same(t, &l)
	})
}

// FuzzNDJSONRoundTrip: any line comes back equal.
func FuzzNDJSONRoundTrip(f *testing.F) {
	f.Add("orders", uint64(3), true, "17", int64(1), "k", true, "v", false, "h", "w", 2)
	f.Add("", uint64(0), false, "", int64(0), "", true, "", true, "", "", 0)
	f.Add("\xff", uint64(1)<<63, true, "1-2", int64(-1), "\x00", false, "\n\u2028\xc3", false, "\x80", "\\\"", 1)
	f.Fuzz(func(t *testing.T, stream string, shard uint64, hasShard bool, seq string, nanos int64, key string, noKey bool, value string, noValue bool, name, header string, headers int) {
		l := ndjson.Line{Meta: streamer.Meta{Stream: stream}, HasShard: hasShard}
		if hasShard {
			l.Shard = streamer.ShardID(shard)
		}
		l.Seq, _ = streamer.ParseSeqNo(seq)
		if nanos != 0 {
			l.Time = time.Unix(0, nanos).UTC()
		}
		l.Key, l.Value = bytesOrNil(key, noKey), bytesOrNil(value, noValue)
		for range min(uint(headers), 100) {
			l.Headers = append(l.Headers, streamer.Header{Key: name, Value: bytesOrNil(header, noValue)})
		}
		same(t, &l)
	})
}

func bytesOrNil(s string, none bool) []byte {
	if none {
		return nil
	}
	return []byte(s)
}

func same(t *testing.T, l *ndjson.Line) {
	t.Helper()
	line := ndjson.Append(nil, l)
	if !json.Valid(line) {
		t.Fatalf("%q is not JSON", line)
	}
	got, err := ndjson.Parse(line)
	if err != nil || !reflect.DeepEqual(&got, l) {
		t.Fatalf("%s: %v\n got %+v\nwant %+v", line, err, got, *l)
	}
}
