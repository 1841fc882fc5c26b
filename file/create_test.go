package file

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/gostreamer/streamer"
)

// TestWhoMakesALogForAConsumerKeepsNoProducerOut: as soon as the log is there it can be written by another process.
func TestWhoMakesALogForAConsumerKeepsNoProducerOut(t *testing.T) {
	for range 300 {
		path := filepath.Join(t.TempDir(), "log.ss")
		made := make(chan error)
		go func() { made <- (&openLog{path: path}).create(&Config{Beacon: defaultBeacon}) }()
		log, conf := &openLog{path: path}, &Config{Beacon: defaultBeacon}
		f, err := log.openWritable(conf, streamer.CreateNever)
		for errors.Is(err, streamer.ErrNotFound) {
			f, err = log.openWritable(conf, streamer.CreateNever)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(<-made, f.close()); err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
			t.Fatalf("%v are left, %v", left, err)
		}
	}
}
