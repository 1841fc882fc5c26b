package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/driver"
)

// optionFlags are flags made of rows of the root's option table, so that table
// and flags cannot differ: max_in_flight is --max-in-flight.
type optionFlags struct {
	rows   []driver.URIOption[streamer.StreamerOptions]
	values reflect.Value // a struct with a *string for each row, nil for a flag that was not given
}

// producerOptions are the keys of the root's table that are not about
// consuming.
var producerOptions = []string{"linger", "max_buffered", "max_buffered_bytes", "delivery_timeout"}

// closeOption belongs to the Streamer, so it is set in the URI (uriFlags), as
// the options of the backends are.
const closeOption = "close_timeout"

func newProducerFlags() *optionFlags {
	return newOptionFlags("Producer options (each overrides the URI's):", func(key string) bool {
		return slices.Contains(producerOptions, key)
	})
}

// newConsumerFlags leaves out the keys in but: what the command decides by
// itself.
func newConsumerFlags(but ...string) *optionFlags {
	return newOptionFlags("Consumer options (each overrides the URI's):", func(key string) bool {
		return key != closeOption && !slices.Contains(producerOptions, key) && !slices.Contains(but, key)
	})
}

func newOptionFlags(title string, want func(key string) bool) *optionFlags {
	f := &optionFlags{}
	var fields []reflect.StructField
	for _, row := range driver.CommonOptions() {
		if !want(row.Key) {
			continue
		}
		f.rows = append(f.rows, row)
		fields = append(fields, reflect.StructField{
			Name: "F" + strconv.Itoa(len(fields)),
			Type: reflect.TypeFor[*string](),
			Tag:  flagTag(row.Key, row.Doc, title),
		})
	}
	f.values = reflect.New(reflect.StructOf(fields))
	return f
}

func flagTag(key, doc, title string) reflect.StructTag {
	return reflect.StructTag(fmt.Sprintf("name:%q help:%q group:%q placeholder:%q", flagName(key), doc, title, "VALUE"))
}

func flagName(key string) string { return strings.ReplaceAll(key, "_", "-") }

// plugins embeds the flags in a command.
func (f *optionFlags) plugins() kong.Plugins { return kong.Plugins{f.values.Interface()} }

// apply sets in o what was given on the command line.
func (f *optionFlags) apply(o *streamer.StreamerOptions) error {
	for i, row := range f.rows {
		value := f.values.Elem().Field(i).Interface().(*string)
		if value == nil {
			continue
		}
		if err := row.Set(o, *value); err != nil {
			return usageError{fmt.Errorf("--%s=%q: %w", flagName(row.Key), *value, err)}
		}
	}
	return nil
}

// uriFlags are options that only a URI can say.
type uriFlags struct {
	Create       string `help:"What happens to a stream that does not exist: auto, always, never or new." placeholder:"VALUE"`
	CloseTimeout string `help:"How long stopping may take to store and commit (default 20s)." placeholder:"DURATION"`
}

// in returns uri with the options that were given in place of its own.
func (f uriFlags) in(uri string) string {
	return withOption(withOption(uri, "create", f.Create), closeOption, f.CloseTimeout)
}
