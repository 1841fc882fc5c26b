package file

import (
	"slices"
	"sync"
)

// owners are the sources of this process that read a log for a group.
type owners struct {
	mu   sync.Mutex
	list []*source
}

func (o *owners) enter(s *source) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, s)
}

func (o *owners) leave(s *source) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = slices.DeleteFunc(o.list, func(x *source) bool { return x == s })
}

// count says how many read the stream for the group.
func (o *owners) count(group, stream string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, s := range o.list {
		if s.cfg.Group == group && s.wants(stream) {
			n++
		}
	}
	return n
}
