package ss

import (
	"errors"
	"io"
)

// searchBudget bounds the bytes that ContainsFrame computes checksums of:
// arbitrary bytes can be full of headers.
const searchBudget = 64 << 20

// ContainsFrame reports whether a whole frame with a key and the right checksum
// starts somewhere in b. When that would take too long to find out it says yes.
func ContainsFrame(b []byte) bool {
	budget := int64(searchBudget)
	for i := range b {
		f, size, err := parseFrame(b[i:], nil)
		if err != nil || size == 0 || size > int64(len(b)-i) || len(f.Key) == 0 || b[i+int(size)-1] != mark {
			continue
		}
		if budget -= size; budget < 0 || Checksum(f.Payload) == f.Sum {
			return true
		}
	}
	return false
}

// maxRun is how many bytes Salvage looks at together: a frame across the end of
// such a run is not found.
const maxRun = 256 << 20

// Salvage calls found for every whole frame, with a key and the right checksum,
// in the bytes of a file from from up to to: those that a Scanner skipped
// on its way to the next beacon. Pos and End of the frames are not set. They
// are found's for the time of the call.
func Salvage(src io.ReaderAt, interval uint32, from, to int64, found func(*Frame)) error {
	for from < to {
		upTo := min(to, from+maxRun)
		run, err := messageBytes(src, int64(interval), from, upTo)
		if err != nil {
			return err
		}
		searchRun(run, found)
		from = upTo
	}
	return nil
}

func searchRun(b []byte, found func(*Frame)) {
	for len(b) > 0 {
		f, size, err := parseFrame(b, nil)
		whole := err == nil && size > 0 && size <= int64(len(b)) && len(f.Key) > 0 && b[size-1] == mark && Checksum(f.Payload) == f.Sum
		if !whole {
			b = b[1:]
			continue
		}
		found(&f)
		b = b[size:]
	}
}

// messageBytes reads a stretch of a file without its beacons. What should be
// one and is unreadable stays in.
func messageBytes(src io.ReaderAt, interval, from, to int64) ([]byte, error) {
	raw := make([]byte, to-from)
	n, err := src.ReadAt(raw, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	raw = raw[:n]
	run := raw[:0]
	for at := from; len(raw) > 0; {
		if at%interval == 0 {
			if _, size, err := measureBeacon(raw); err == nil {
				raw, at = raw[size:], at+int64(size)
			}
		}
		k := min(int64(len(raw)), interval-at%interval)
		run = append(run, raw[:k]...) // it never overtakes raw
		raw, at = raw[k:], at+k
	}
	return run, nil
}
