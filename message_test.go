package streamer

import (
	"reflect"
	"testing"
	"time"
	"unsafe"
)

func TestCloneIsEqualAndSharesNothing(t *testing.T) {
	tests := []struct {
		name string
		m    Message
	}{
		{"all", Message{Key: []byte("k"), Value: []byte("value"), Headers: []Header{{"a", []byte("1")}, {"a", nil}, {"b", []byte{}}}}},
		{"nothing", Message{}},
		{"empty is not nil", Message{Key: []byte{}, Value: []byte{}, Headers: []Header{}}},
		{"value alone", Message{Value: []byte("value")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.Meta = Meta{Stream: "s", Shard: 3, Seq: SeqUint(4), Time: time.Unix(5, 0).UTC()}
			c := tt.m.Clone()
			if !reflect.DeepEqual(*c, tt.m) {
				t.Fatalf("got %+v, want %+v", *c, tt.m)
			}
			for _, b := range [][]byte{tt.m.Key, tt.m.Value} {
				clear(b)
			}
			for _, h := range tt.m.Headers {
				clear(h.Value)
			}
			if len(tt.m.Value) > 0 && string(c.Value) != "value" || len(tt.m.Key) > 0 && string(c.Key) != "k" {
				t.Error("the clone changed with the message")
			}
			if len(c.Headers) > 0 && string(c.Headers[0].Value) != "1" {
				t.Error("the clone's headers changed with the message's")
			}
			_ = append(c.Key, "overwritten"...)
			if len(tt.m.Value) > 0 && string(c.Value) != "value" {
				t.Error("appending to the clone's key reaches its value")
			}
		})
	}
}

func TestSizeIsKeyValueAndHeaders(t *testing.T) {
	headers := []Header{{"ab", []byte("c")}, {"d", nil}}
	m := Message{Key: []byte("12"), Value: []byte("345"), Headers: headers}
	r := Record{Key: m.Key, Value: m.Value, Headers: headers}
	if m.Size() != 9 || r.Size() != 9 {
		t.Errorf("sizes %d and %d, want 9", m.Size(), r.Size())
	}
}

// TestTheSlotIsTheFirstField: inside.SlotOf finds it there.
func TestTheSlotIsTheFirstField(t *testing.T) {
	if at := unsafe.Offsetof(Message{}.slot); at != 0 {
		t.Fatalf("slot lies at %d", at)
	}
}
