package driver

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gostreamer/streamer"
)

// URIOption binds one URI option to a field of a Config. The same table parses,
// checks and documents it. Key has letters, digits, '_', '.' and '-'. Doc is
// one line with the possible values and the default.
type URIOption[C any] struct {
	Key, Doc string
	Secret   bool // hidden by URI.String and in errors
	// Set parses value into c. Bind names the option and the value in front of
	// its error.
	Set func(c *C, value string) error
}

// Bind sets c from u.Query with a backend's table. Fields whose options are
// absent keep their value. From then on u.String hides the table's Secret
// options.
//
// ErrInvalid: u has a key that is neither in table nor in CommonOptions (the
// error lists the known ones), a key of table is repeated, or Set failed
// without a kind of its own. Bind changes u, so u must not be used
// concurrently.
func Bind[C any](u *streamer.URI, c *C, table []URIOption[C]) error {
	for _, row := range table {
		if row.Secret {
			u.Hide(row.Key)
		}
	}
	if err := refuseUnknown(u, append(optionKeys(table), optionKeys(CommonOptions())...)); err != nil {
		return err
	}
	return bindRows(u, c, table)
}

func notThisURI(scheme string, cause error) error {
	return &streamer.Error{Op: "uri", Backend: scheme, Kind: streamer.ErrInvalid, Err: cause}
}

func optionKeys[C any](table []URIOption[C]) []string {
	all := make([]string, len(table))
	for i, row := range table {
		all[i] = row.Key
	}
	return all
}

func refuseUnknown(u *streamer.URI, known []string) error {
	var unknown []string
	for _, key := range slices.Sorted(maps.Keys(u.Query)) {
		if !slices.Contains(known, key) {
			unknown = append(unknown, key)
		}
	}
	if unknown == nil {
		return nil
	}
	slices.Sort(known)
	return notThisURI(u.Scheme, fmt.Errorf("unknown option %s; known are %s",
		strings.Join(unknown, ", "), strings.Join(slices.Compact(known), ", ")))
}

func bindRows[C any](u *streamer.URI, c *C, table []URIOption[C]) error {
	for _, row := range table {
		values := u.Query[row.Key]
		switch len(values) {
		case 0:
			continue
		case 1:
		default:
			return notThisURI(u.Scheme, fmt.Errorf("option %s is given %d times", row.Key, len(values)))
		}
		if err := row.Set(c, values[0]); err != nil {
			return optionError(u, row.Key, values[0], err)
		}
	}
	return nil
}

func optionError(u *streamer.URI, key, value string, err error) error {
	e := &streamer.Error{Op: "uri", Backend: u.Scheme, Kind: cmp.Or(streamer.KindOf(err), streamer.ErrInvalid)}
	if u.Hides(key) {
		// The error of Set is left out: it may quote the value in any spelling.
		e.Err = fmt.Errorf("option %s=xxxxx", key)
	} else {
		e.Err = fmt.Errorf("option %s=%q: %w", key, value, err)
	}
	return e
}

// Options reads the options that every backend knows, CommonOptions, and the
// streams of the path, for an engine.OpenFunc to return. All streams are the
// consumer's; a single one is also the producer's. A 0 in the URI, which means
// "not set" in Go's fields, becomes NoLimit where it stands for no limit, and 1
// or 1 ns for a count or a time. ErrInvalid as in Bind. Keys of other tables
// are ignored.
func Options(u *streamer.URI) (streamer.StreamerOptions, error) {
	var o streamer.StreamerOptions
	if err := bindRows(u, &o, CommonOptions()); err != nil {
		return streamer.StreamerOptions{}, err
	}
	o.Consumer.Streams = slices.Clone(u.Streams)
	if len(u.Streams) == 1 {
		o.Producer.Stream = u.Streams[0]
	}
	return o, nil
}
