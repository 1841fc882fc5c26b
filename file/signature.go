package file

import "github.com/gostreamer/streamer/file/internal/ss"

// signature is the shard of the internal stream that beacons of this package's writers name, though it has no frame. Such a beacon sums up all that is before it in its file; a
// beacon of SeaStreamer's only what its writer has written since it opened the file. The item's sequence number is the offset in the file at which the writer began: it has
// written all beacons from there to the one that names it. Nothing else in a log tells them apart.
const signature = 0x73747265616d6572 // "streamer"

// sign has the beacons of a writer that begins at offset from name the signature.
func sign(e *ss.Encoder, from int64) {
	e.See(&ss.Frame{Key: []byte(ss.Internal), Shard: signature, Seq: uint64(from)})
}

// signedFrom is where the writer of a beacon began, if the beacon says so.
func signedFrom(items []ss.Item) (from int64, ok bool) {
	for i := range items {
		if items[i].Shard == signature && items[i].Key == ss.Internal {
			return int64(min(items[i].Seq, never)), true
		}
	}
	return 0, false
}
