package ss

import (
	"bytes"
	"encoding/binary"
	"errors"
)

const (
	// Internal is the key of SeaStreamer's own messages; Wildcard is a key it
	// keeps for subscriptions. Keys that start with Reserved are not for users.
	Internal = "SEA_STREAMER_INTERNAL"
	Wildcard = "SEA_STREAMER_WILDCARD"
	Reserved = "SEA_STREAMER_"
	// EOS is the payload that ends a file, on the key Internal.
	EOS = "EOS"
	// MaxKey is the longest key that SeaStreamer's types allow.
	MaxKey = 249

	framing = 32 // a frame without key and payload
	trailer = 3  // checksum and mark
)

var (
	// ErrChecksum: the payload does not match its checksum.
	ErrChecksum = errors.New("checksum mismatch")
	// ErrFrame: the bytes are no frame.
	ErrFrame = errors.New("unreadable frame")
	// ErrBeacon: the bytes are no beacon.
	ErrBeacon = errors.New("unreadable beacon")
)

// Frame is one message of a file. A frame that a Scanner returned refers to the
// Scanner's window.
type Frame struct {
	Key     []byte
	Shard   uint64
	Seq     uint64
	Time    uint64 // milliseconds since 1970
	Payload []byte
	Sum     uint16 // of the payload, as stored

	// Set by the Scanner.
	Pos, End int64 // where the frame starts and ends in the file; of frames in a row, one starts where the other ends
	At       int   // where its payload starts in the Scanner's Window
	Marked   bool  // it ends with the byte that ends frames, which readers need not look at
}

// IsInternal says that the frame is not a user's message.
func (f *Frame) IsInternal() bool { return string(f.Key) == Internal }

// IsEOS says that the frame ends the file; whether anything follows is another
// matter.
func (f *Frame) IsEOS() bool { return f.IsInternal() && string(f.Payload) == EOS }

// FrameSize is the size of a frame without the beacons that may split it.
func FrameSize(key, payload int) int64 { return framing + int64(key) + int64(payload) }

// parseFrame reads the frame at the start of b. size is the frame's whole size,
// or 0 while b is too short to tell; f is complete when len(b) ≥ size > 0. A
// checksum mismatch is not looked for. known is a key that was found valid
// before.
func parseFrame(b, known []byte) (f Frame, size int64, err error) {
	size, err = f.parse(b, known)
	return f, size, err
}

// parse is parseFrame into f. What the Scanner sets is left as it is.
func (f *Frame) parse(b, known []byte) (size int64, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	k := int(b[0])
	if len(b) < 1+k {
		return 0, checkKey(b[1:], k, known)
	}
	f.Key = b[1 : 1+k]
	if err := checkKey(f.Key, k, known); err != nil {
		return 0, err
	}
	if len(b) < framing-trailer+k {
		return 0, nil
	}
	h := b[1+k:]
	f.Shard, f.Seq, f.Time = binary.BigEndian.Uint64(h), binary.BigEndian.Uint64(h[8:]), binary.BigEndian.Uint64(h[16:])
	if f.Time > MaxTime {
		return 0, ErrFrame
	}
	n := int64(binary.BigEndian.Uint32(h[24:]))
	size = framing + int64(k) + n
	if int64(len(b)) < size {
		return size, nil
	}
	f.Payload = h[28 : 28+n : 28+n]
	f.Sum = binary.BigEndian.Uint16(h[28+n:])
	return size, nil
}

// checkKey refuses a key, or the part of it that is there, as soon as it cannot
// be one.
func checkKey(part []byte, whole int, known []byte) error {
	if bytes.Equal(part, known) {
		return nil
	}
	if whole > MaxKey || !validKey(part) {
		return ErrFrame
	}
	return nil
}

// keyByte says which bytes a key may have.
var keyByte = func() (t [256]bool) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") {
		t[b] = true
	}
	return t
}()

// validKey allows the empty key: SeaStreamer's code does, against its
// documentation.
func validKey(key []byte) bool {
	for _, b := range key {
		if !keyByte[b] {
			return false
		}
	}
	return true
}

// ValidKey says that key can name a user's stream.
func ValidKey(key string) bool {
	return key != "" && len(key) <= MaxKey && validKey([]byte(key))
}
