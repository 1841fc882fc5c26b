package kafka

import (
	"encoding/binary"
	"hash/crc32"
)

// The header of a batch: https://kafka.apache.org/documentation/#recordbatch.
// What came before version 2 is a message, or a wrapper of messages, whose
// checksum is another one.
const (
	batchSizeAt      = 8
	batchSizeEnd     = 12
	batchMagicAt     = 16
	batchSumAt       = 17
	batchSummedAt    = 21
	batchLastDeltaAt = 23
	batchHeaderSize  = 61
	batchMagic       = 2

	messageSumAt    = 12
	messageSummedAt = 16
	messageSize     = 26
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// extent is where a batch lies: its offsets, and its size in bytes.
type extent struct {
	base, last int64
	size       int
}

// intact reads the extent of the batch that in begins with; false when that is
// not whole, or not as its checksum says. Nothing else in a header counts.
func intact(in []byte) (extent, bool) {
	if len(in) < messageSize {
		return extent{}, false
	}
	size := int64(int32(binary.BigEndian.Uint32(in[batchSizeAt:]))) + batchSizeEnd //nolint:gosec // as the format has it
	base := int64(binary.BigEndian.Uint64(in))                                     //nolint:gosec // as the format has it
	if size < messageSize || size > int64(len(in)) || base < 0 {
		return extent{}, false
	}
	e := extent{base: base, last: base, size: int(size)}
	if in[batchMagicAt] < batchMagic {
		return e, crc32.ChecksumIEEE(in[messageSummedAt:size]) == binary.BigEndian.Uint32(in[messageSumAt:])
	}
	if in[batchMagicAt] != batchMagic || size < batchHeaderSize {
		return extent{}, false
	}
	delta := int32(binary.BigEndian.Uint32(in[batchLastDeltaAt:])) //nolint:gosec // as the format has it
	e.last += int64(delta)
	return e, delta >= 0 && crc32.Checksum(in[batchSummedAt:size], castagnoli) == binary.BigEndian.Uint32(in[batchSumAt:])
}

// leftover is what is in begins with that holds an offset, or a later one,
// behind the intact batches before it.
func leftover(in []byte, offset int64) []byte {
	for {
		e, ok := intact(in)
		if !ok || e.last >= offset {
			return in
		}
		in = in[e.size:]
	}
}

// behind finds the next intact batch with an offset, or a later one, wherever
// in in that begins. Nil: there is none.
func behind(in []byte, offset int64) []byte {
	for ; len(in) >= batchHeaderSize; in = in[1:] {
		if in[batchMagicAt] != batchMagic {
			continue
		}
		if e, ok := intact(in); ok && e.last >= offset {
			return in
		}
	}
	return nil
}
