package streamer

import "fmt"

// Secret is text that is never printed, such as a password in a backend's
// Config.
type Secret string

// Format writes "xxxxx" for every verb.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// MarshalText writes "xxxxx".
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
