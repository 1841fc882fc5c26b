package memory

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

func TestRecordsComeBackEqual(t *testing.T) {
	r := newRig(t, Config{})
	s := r.sink("orders")
	at := time.Date(2031, 1, 2, 3, 4, 5, 678901234, time.FixedZone("X", 3600))
	records := []streamer.Record{
		{Key: []byte("k"), Value: []byte("v"), Time: at},
		{Key: nil, Value: nil},
		{Key: []byte{}, Value: []byte{}},
		{Value: bytes.Repeat([]byte{0, 255}, 100<<10)},
		{Headers: []streamer.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "", Value: []byte{}}}},
	}
	for i := range records {
		records[i].Stream = "orders"
	}
	from := time.Now()
	metas := r.write(s, records...)
	got := r.open(driver.SourceConfig{Streams: []string{"orders"}}).read(len(records))
	for i, want := range records {
		m := got[i]
		if m.Meta != metas[i] {
			t.Errorf("record %d: receipt %v, message %v", i, metas[i], m.Meta)
		}
		if (m.Key == nil) != (want.Key == nil) || !bytes.Equal(m.Key, want.Key) || (m.Value == nil) != (want.Value == nil) || !bytes.Equal(m.Value, want.Value) {
			t.Errorf("record %d: key %q value %.20q, want %q %.20q", i, m.Key, m.Value, want.Key, want.Value)
		}
		if fmt.Sprintf("%#v", m.Headers) != fmt.Sprintf("%#v", want.Headers) {
			t.Errorf("record %d: headers %#v, want %#v", i, m.Headers, want.Headers)
		}
		if m.Time.Location() != time.UTC {
			t.Errorf("record %d: time %v is not UTC", i, m.Time)
		}
	}
	if !got[0].Time.Equal(at) {
		t.Errorf("time %v, want %v", got[0].Time, at)
	}
	if got[1].Time.Before(from.Round(0)) {
		t.Errorf("time %v is before %v", got[1].Time, from)
	}
}

func TestAStoredRecordIsACopy(t *testing.T) {
	r := newRig(t, Config{})
	value := []byte("before")
	header := []streamer.Header{{Key: "h", Value: []byte("before")}}
	r.write(r.sink("s"), streamer.Record{Stream: "s", Value: value, Headers: header})
	copy(value, "after!")
	copy(header[0].Value, "after!")
	m := r.open(driver.SourceConfig{Streams: []string{"s"}}).read(1)[0]
	if string(m.Value) != "before" || string(m.Headers[0].Value) != "before" {
		t.Errorf("value %q header %q", m.Value, m.Headers[0].Value)
	}
	_ = append(m.Value, "overflow"...)
	if cap(m.Value) != len(m.Value) {
		t.Errorf("an append to a value reaches its neighbour")
	}
}

func TestAKeyStaysInOneShardAndOthersTakeTurns(t *testing.T) {
	r := newRig(t, Config{Shards: 5})
	s := r.sink("s")
	shards := map[string]streamer.ShardID{}
	used := map[streamer.ShardID]int{}
	for i := range 100 {
		key := fmt.Sprintf("key-%d", i%10)
		m := r.write(s, streamer.Record{Stream: "s", Key: []byte(key)})[0]
		if was, ok := shards[key]; ok && was != m.Shard {
			t.Fatalf("key %s moved from %d to %d", key, was, m.Shard)
		}
		shards[key] = m.Shard
		used[r.write(s, streamer.Record{Stream: "s"})[0].Shard]++
	}
	for id := range streamer.ShardID(5) {
		if used[id] != 20 {
			t.Errorf("shard %d got %d of 100", id, used[id])
		}
	}
}

func TestAWrongShardFailsThatRecordAlone(t *testing.T) {
	r := newRig(t, Config{Shards: 2})
	far := streamer.ShardID(math.MaxUint64)
	p := pendings(streamer.Record{Stream: "s", Value: []byte("a")}, streamer.Record{Stream: "s", Shard: &far}, streamer.Record{Stream: "s", Value: []byte("b")})
	r.ok(r.sink("s").Write(t.Context(), p))
	for i, want := range []error{nil, streamer.ErrNotFound, nil} {
		if _, err := p[i].Receipt().Wait(t.Context()); !errors.Is(err, want) {
			t.Errorf("record %d: %v, want %v", i, err, want)
		}
	}
}
