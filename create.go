package streamer

import (
	"fmt"

	"github.com/gostreamer/streamer/internal/words"
)

// Create says what happens to a stream that does not exist. It is the URI
// option create= and a field of every backend's Config.
type Create uint8

// The words of create=.
const (
	// CreateAuto ("auto"): producers create the stream, at open or with their
	// first record; on Kafka they get ErrNotFound. Consumers get ErrNotFound
	// everywhere.
	CreateAuto Create = iota
	// CreateAlways ("always"): producers and consumers create the stream, and
	// consumers continue when it is deleted and created again.
	CreateAlways
	// CreateNever ("never"): producers and consumers get ErrNotFound.
	CreateNever
	// CreateNew ("new"): producers create the stream and get ErrExists when it
	// exists.
	CreateNew
)

// ParseCreate is the inverse of String. ErrInvalid lists the four words.
func ParseCreate(s string) (Create, error) {
	return words.Parse(s, ErrInvalid, CreateAuto, "auto", "always", "never", "new")
}

// String is the word of create=.
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
