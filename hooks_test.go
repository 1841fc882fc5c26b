package streamer

import (
	"reflect"
	"slices"
	"testing"
)

func TestJoinHooksCallsEachInOrder(t *testing.T) {
	var got []string
	note := func(name string) Hooks {
		var h Hooks
		v := reflect.ValueOf(&h).Elem()
		for i := range v.NumField() {
			f := v.Type().Field(i)
			v.Field(i).Set(reflect.MakeFunc(f.Type, func([]reflect.Value) []reflect.Value {
				got = append(got, f.Name+" "+name)
				return nil
			}))
		}
		return h
	}
	j := reflect.ValueOf(JoinHooks(note("a"), Hooks{}, note("b"), note("c")))
	for i := range j.NumField() {
		got = nil
		f := j.Field(i)
		f.Call([]reflect.Value{reflect.Zero(f.Type().In(0))})
		name := j.Type().Field(i).Name
		if want := []string{name + " a", name + " b", name + " c"}; !slices.Equal(got, want) {
			t.Errorf("called %v, want %v", got, want)
		}
	}
}

func TestJoinHooksOfNothingIsOff(t *testing.T) {
	for _, h := range []Hooks{JoinHooks(), JoinHooks(Hooks{}, Hooks{})} {
		if v := reflect.ValueOf(h); !v.IsZero() {
			t.Errorf("got %+v, want nil fields: they save work", h)
		}
	}
}
