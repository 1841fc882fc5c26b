module github.com/gostreamer/streamer/bench

go 1.26.0

require (
	github.com/gostreamer/streamer v0.0.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/fsnotify/fsnotify v1.10.1 // indirect
	github.com/gofrs/flock v0.13.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/gostreamer/streamer => ..
