package file

import (
	"path/filepath"

	"github.com/gostreamer/streamer/driver"
	"github.com/gostreamer/streamer/file/internal/disk"
)

// location is where programs of this process say that a log is. The log that it
// leads to may be another later on: when a symbolic link in it is switched, or
// the file behind it replaced. Consumers and producers follow their location,
// and a log may be at several.
type location struct {
	path  string       // absolute; symbolic links are as they were named
	deals driver.Deals // of the groups that read what is here

	refs int // the table's
}

// acquireLocation makes a path known. It needs a releaseLocation.
func (t *logTable) acquireLocation(path string) (*location, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, disk.Translate(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.locations[path]
	if p == nil {
		p = &location{path: path}
		if t.locations == nil {
			t.locations = map[string]*location{}
		}
		t.locations[path] = p
	}
	p.refs++
	return p, nil
}

// shareLocation is acquireLocation for a caller that has the location already.
func (t *logTable) shareLocation(p *location) *location {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.refs++
	return p
}

func (t *logTable) releaseLocation(p *location) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.refs--; p.refs == 0 {
		delete(t.locations, p.path)
	}
}
