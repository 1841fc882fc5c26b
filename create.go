package streamer

import (
	"fmt"

	"github.com/gostreamer/streamer/internal/words"
)

// Create says what happens to a stream that does not exist: the URI option create= and a field of every backend's Config.
type Create uint8

// The words of create=.
const (
	// "auto": producers create, at open or with their first record, but not on
	// Kafka, where it is ErrNotFound; consumers get ErrNotFound everywhere.
	CreateAuto   Create = iota
	CreateAlways        // "always": producers and consumers create, and consumers go on when the stream vanishes and comes back
	CreateNever         // "never": ErrNotFound for both
	CreateNew           // "new": producers create and get ErrExists when it exists
)

// ParseCreate is String's inverse: ErrInvalid lists the four words.
func ParseCreate(s string) (Create, error) {
	return words.Parse(s, ErrInvalid, CreateAuto, "auto", "always", "never", "new")
}

func (c Create) String() string {
	switch c {
	case CreateAuto:
		return "auto"
	case CreateAlways:
		return "always"
	case CreateNever:
		return "never"
	case CreateNew:
		return "new"
	}
	return fmt.Sprintf("Create(%d)", uint8(c))
}
