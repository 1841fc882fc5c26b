package file

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// TestWhoMakesALogForAConsumerKeepsNoProducerOut: as soon as the log is there
// it can be written by another process, however many make it for themselves at
// that moment.
func TestWhoMakesALogForAConsumerKeepsNoProducerOut(t *testing.T) {
	for form, create := range map[string]streamer.Create{"log.ss": streamer.CreateNever, "log": streamer.CreateAuto} {
		t.Run(form, func(t *testing.T) {
			for range 100 {
				dir := t.TempDir()
				conf, segmented := &Config{Beacon: defaultBeacon, Segment: 1 << 20}, form == "log"
				made := make(chan error)
				for range 4 {
					go func() { made <- (&openLog{path: filepath.Join(dir, form), segmented: segmented}).create(conf) }()
				}
				log := &openLog{path: filepath.Join(dir, form), segmented: segmented}
				f, err := log.openWritable(conf, create)
				for errors.Is(err, streamer.ErrNotFound) {
					f, err = log.openWritable(conf, create)
				}
				for range 4 {
					err = errors.Join(err, <-made)
				}
				if err == nil {
					err = errors.Join(f.Check(log.path), f.Close())
				}
				if err != nil {
					t.Fatal(err)
				}
				onlyLog(t, dir, segmented)
			}
		})
	}
}

// onlyLog fails if anything else is left in a directory with an empty log.
func onlyLog(t *testing.T, dir string, segmented bool) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	want := 1
	if segmented {
		all, err = filepath.Glob(filepath.Join(dir, "log", "*"))
		want = 2 // the lock
	}
	if err != nil || len(all) != want {
		t.Fatalf("there are %v, %v", all, err)
	}
}

// TestProducersAndConsumersThatMakeALogAtOnce: the process that comes first,
// all open, and every consumer has what is sent.
func TestProducersAndConsumersThatMakeALogAtOnce(t *testing.T) {
	const each = 8
	for _, make := range []func(*testing.T, ...func(*Config)) *rig{newRig, newSegmented} {
		r := make(t, func(c *Config) { c.Create = streamer.CreateAlways })
		var all sync.WaitGroup
		producers, consumers, errs := [each]streamer.Producer{}, [each]streamer.Consumer{}, [2 * each]error{}
		from := earliest()
		from.Streams = []string{"a"}
		for i := range each {
			s := r.connect()
			all.Go(func() { producers[i], errs[i] = s.Producer(r.ctx, streamer.ProducerOptions{Stream: "a"}) })
			all.Go(func() { consumers[i], errs[each+i] = s.Consumer(r.ctx, from) })
		}
		all.Wait()
		r.ok(errors.Join(errs[:]...))
		for i, p := range producers {
			r.send(p, records(fmt.Sprint(i))...)
		}
		for _, c := range consumers {
			r.expect(c, numbers(0, each)...)
		}
	}
}

// TestASegmentIsAsOldAsItIs, not older because its writer has opened it again.
func TestASegmentIsAsOldAsItIs(t *testing.T) {
	r := newSegmented(t, func(c *Config) { c.SegmentAge = time.Hour })
	for range 3 {
		r.produce("a", "x")
		r.produce("a", "y", "z")
	}
	if n := len(r.segments()); n != 1 {
		t.Errorf("%d segments", n)
	}
}
