package engine

import "github.com/gostreamer/streamer"

// vanished is SourceConfig.Vanished. A Commit has nothing to say about these
// shards: unlike those of a lost one their messages are not redelivered.
func (s *session) vanished(gone []streamer.StreamShard) {
	leaving := s.fence(gone, false)
	s.sealAll(leaving)
	s.forget(leaving)
	s.resumeGone(leaving)
	s.obs.Load().Assigned(nil, gone, true)
}
