package testservers

import (
	"fmt"
	"os"
	"path/filepath"
)

// SaveLog copies what the broker, which was killed, has on disk of a partition.
// restore puts the copy back when the broker was killed again: a disk as it was
// before, with the groups' positions and all else as they are now.
func (s *KafkaServer) SaveLog(topic string, partition int32) (restore func()) {
	s.t.Helper()
	log := filepath.Join(s.dir, dataDir, fmt.Sprintf("%s-%d", topic, partition))
	saved := filepath.Join(s.t.TempDir(), "log")
	s.must(os.CopyFS(saved, os.DirFS(log)))
	return func() {
		s.t.Helper()
		s.must(os.RemoveAll(log))
		s.must(os.CopyFS(log, os.DirFS(saved)))
	}
}
