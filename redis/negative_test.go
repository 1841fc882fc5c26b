package redis

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/gostreamer/streamer"
)

// TestANegativeNumberIsInvalidInEveryFieldOfConfig, except the values that
// have a name.
func TestANegativeNumberIsInvalidInEveryFieldOfConfig(t *testing.T) {
	named := map[string][]int64{"Shards": {ShardsAuto, ShardsNone}}
	typ := reflect.TypeFor[Config]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Type.Kind() != reflect.Int && f.Type.Kind() != reflect.Int64 {
			continue
		}
		for _, v := range []int64{-1, -2, -3, -1000, -1 << 40} {
			c := Config{}
			reflect.ValueOf(&c).Elem().Field(i).SetInt(v)
			err := c.complete()
			if isNamed := slices.Contains(named[f.Name], v); isNamed == (err != nil) || err != nil && !errors.Is(err, streamer.ErrInvalid) {
				t.Errorf("%s = %d: %v", f.Name, v, err)
			}
		}
	}
}
