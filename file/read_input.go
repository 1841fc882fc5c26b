package file

import (
	"os"

	"github.com/gostreamer/streamer/file/internal/logfile"
	"github.com/gostreamer/streamer/file/internal/ss"
)

// input is the log as a source has it open. It changes with committing held.
type input struct {
	f        logfile.Handle
	segments *logfile.Segments // f, if the log is segmented
	info     os.FileInfo
	head     []byte // the header as it was; nil while there is none
	header   ss.Header
	r        *logfile.Reader // nil while there is no header
}

// origin is where the log's first frame is.
func (in *input) origin() int64 {
	if in.segments != nil {
		return in.segments.First() + ss.HeaderSize
	}
	return ss.HeaderSize
}

// positioned is the offset that reading has reached: nothing before the offset
// is needed again.
func (in *input) positioned() int64 {
	if in.r == nil {
		return 0
	}
	return in.r.Needed()
}
