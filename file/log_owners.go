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

// members counts the consumers that read the stream for the group: a source
// has one, or the members that share it.
func (o *owners) members(group, stream string) int {
	o.mu.Lock()
	list := slices.Clone(o.list)
	o.mu.Unlock()
	n := 0
	for _, s := range list {
		if s.cfg.Group != group || !s.wants(stream) {
			continue
		}
		n += max(1, s.location.deals.Members(stream, group))
	}
	return n
}
