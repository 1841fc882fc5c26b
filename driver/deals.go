package driver

import "sync"

// Deals holds the in-process groups on one log. A Dealer keeps one for each
// log; the engine fills it. The zero value is ready. It must not be copied.
type Deals struct {
	mu    sync.Mutex
	table DealTable // the engine's; nil before the first group
}

// DealTable is what the engine keeps in Deals.
type DealTable interface {
	// Members counts a group's members in this process that read stream.
	Members(stream, group string) int
}

// Table returns the engine's table. The first call creates it.
func (d *Deals) Table(first func() DealTable) DealTable {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.table == nil {
		d.table = first()
	}
	return d.table
}

// Members counts a group's members in this process that read stream. It may be
// called concurrently.
func (d *Deals) Members(stream, group string) int {
	d.mu.Lock()
	t := d.table
	d.mu.Unlock()
	if t == nil {
		return 0
	}
	return t.Members(stream, group)
}
