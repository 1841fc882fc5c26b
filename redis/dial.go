package redis

import (
	"errors"
	"net"
)

// isDial says that no connection could be made.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
