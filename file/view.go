package file

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"github.com/gostreamer/streamer/file/internal/ss"
)

func beUint64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// view is a log at one moment: what is in the first size bytes of src.
type view struct {
	src      io.ReaderAt
	interval uint32
	size     int64
	created  uint64
}

// beacons is how many there are. Those of a damaged file may not be readable.
func (v *view) beacons() int64 { return (v.size - 1) / int64(v.interval) }

// beacon reads one; ok is false when that can't be done.
func (v *view) beacon(n int64) (b ss.Beacon, ok bool, err error) {
	b, err = ss.ReadBeacon(v.src, v.interval, n)
	switch {
	case err == nil:
		return b, true, nil
	case errors.Is(err, ss.ErrBeacon), errors.Is(err, io.ErrUnexpectedEOF):
		return b, false, nil
	}
	return b, false, err
}

// reader reads the log as it was at that moment.
func (v *view) reader() *entries {
	return newEntries(io.NewSectionReader(v.src, 0, v.size), v.interval, ss.HeaderSize)
}

// before is a place to start reading that is sure to be before the envelope of the first message behind beacon n: where another frame starts.
func (v *view) before(n int64) (int64, error) {
	for n--; n > 0; n-- {
		b, ok, err := v.beacon(n)
		if err != nil {
			return 0, err
		}
		at := n*int64(v.interval) + int64(b.Size) + int64(b.Remaining)
		if ok && at < (n+1)*int64(v.interval) {
			return at, nil
		}
	}
	return ss.HeaderSize, nil
}

// find is the item of one shard.
func find(b ss.Beacon, key string, shard uint64) (ss.Item, bool) {
	for _, i := range b.Items {
		if i.Shard == shard && i.Key == key {
			return i, true
		}
	}
	return ss.Item{}, false
}

// seqBefore finds a beacon before which everything of a shard has a lower number than the one that below asks about. Beacons need not name the shard:
// those that don't are passed over, so the beacon found may not be the last such, but is one.
func (v *view) seqBefore(key string, shard uint64, below func(seq uint64) bool) (int64, error) {
	found, lo, hi := int64(0), int64(1), v.beacons()+1
	for lo < hi {
		mid := lo + (hi-lo)/2
		item, n, err := v.named(key, shard, mid, hi)
		if err != nil {
			return 0, err
		}
		if n < hi && below(item.Seq) {
			found, lo = n, n+1
		} else {
			hi = mid
		}
	}
	return found, nil
}

// named is the item of a shard in the first beacon from n on, below limit, that names it; limit when none does.
func (v *view) named(key string, shard uint64, n, limit int64) (ss.Item, int64, error) {
	for ; n < limit; n++ {
		b, ok, err := v.beacon(n)
		if err != nil {
			return ss.Item{}, 0, err
		}
		if i, named := find(b, key, shard); ok && named {
			return i, n, nil
		}
	}
	return ss.Item{}, limit, nil
}

// timeBefore finds a beacon before which every message of the chosen streams is older than ms. That takes beacons that name every shard. Those of
// SeaStreamer's writers name what was written since they opened the file, and all name no more than there is room for: when one has no room left, or does not
// name what an earlier one does, or cannot be read, nothing can be said: 0.
func (v *view) timeBefore(chosen func(stream string) bool, ms int64) (int64, error) {
	type id struct {
		key   string
		shard uint64
	}
	known := map[id]bool{}
	for n := range v.beacons() {
		b, ok, err := v.beacon(n + 1)
		if err != nil {
			return 0, err
		}
		if !ok || len(b.Items) >= ss.ItemCap(v.interval) {
			return 0, nil
		}
		seen := 0
		for _, i := range b.Items {
			if chosen(i.Key) && int64(i.Time) >= ms {
				return n, nil
			}
			if known[id{i.Key, i.Shard}] {
				seen++
			}
		}
		if seen < len(known) {
			return 0, nil
		}
		for _, i := range b.Items {
			known[id{i.Key, i.Shard}] = true
		}
	}
	return v.beacons(), nil
}

// openView opens a log to look at it as it is now; nil when it has no header yet.
func openView(path string) (*openedView, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	v, err := viewOf(f)
	if v == nil {
		return nil, errors.Join(err, f.Close())
	}
	return &openedView{*v, f}, nil
}

type openedView struct {
	view
	f *os.File
}

func (v *openedView) close() { _ = v.f.Close() }

func viewOf(f handle) (*view, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(f.Name(), info)
	}
	if err != nil {
		return nil, err
	}
	h, err := readHeader(f)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, nil
	case err != nil:
		return nil, notLog(f.Name(), err)
	}
	return &view{src: f, interval: h.Interval, size: info.Size(), created: h.Created}, nil
}
