package driver

import "sync"

// Deals is where the members of in-process groups meet that read one log. A
// backend keeps one for each log and the engine fills it. The zero value is
// ready; it must not be copied.
type Deals struct {
	mu    sync.Mutex
	table DealTable // the engine's; nil: no group was opened yet
}

// DealTable is what the engine keeps in Deals.
type DealTable interface {
	// Members counts the members that a group has in this process on a stream.
	Members(stream, group string) int
}

// Table is what the engine keeps here, made by its first call.
func (d *Deals) Table(first func() DealTable) DealTable {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.table == nil {
		d.table = first()
	}
	return d.table
}

// Members counts the members that a group has in this process on a stream. It
// may be called concurrently.
func (d *Deals) Members(stream, group string) int {
	d.mu.Lock()
	t := d.table
	d.mu.Unlock()
	if t == nil {
		return 0
	}
	return t.Members(stream, group)
}
