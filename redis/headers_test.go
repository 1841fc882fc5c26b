package redis

import (
	"reflect"
	"testing"

	"github.com/gostreamer/streamer"
)

func TestHeadersComeBack(t *testing.T) {
	for _, h := range [][]streamer.Header{
		{{Key: "a", Value: []byte("1")}},
		{{Key: "", Value: []byte{}}, {Key: "twice", Value: []byte("1")}, {Key: "twice", Value: []byte{0xff, 0}}},
		{{Key: string(make([]byte, 300)), Value: make([]byte, 70_000)}},
	} {
		got, err := parseHeaders(nil, appendHeaders(nil, h))
		if err != nil || !reflect.DeepEqual(got, h) {
			t.Errorf("%v, %v, want %v", got, err, h)
		}
	}
}

func TestWhatIsNoHeadersIsRefused(t *testing.T) {
	good := appendHeaders(nil, []streamer.Header{{Key: "name", Value: []byte("value")}})
	for n := range good {
		if got, err := parseHeaders(nil, good[:n]); err == nil {
			t.Errorf("%d bytes of %d are read as %v", n, len(good), got)
		}
	}
	if _, err := parseHeaders(nil, append(good, 0)); err == nil {
		t.Error("a byte too many is read")
	}
}

// Whatever is read is written again as something that reads the same.
func FuzzHeaders(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add(appendHeaders(nil, []streamer.Header{{Key: "name", Value: []byte("value")}, {Key: "", Value: nil}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHeaders(nil, b)
		if err != nil {
			return
		}
		again, err := parseHeaders(nil, appendHeaders(nil, h))
		if err != nil || len(again) != len(h) {
			t.Fatalf("%v, %v, want %v", again, err, h)
		}
	})
}
