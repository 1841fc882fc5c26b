package main

// The backends that this program knows.
import (
	_ "github.com/gostreamer/streamer/file"
	_ "github.com/gostreamer/streamer/kafka"
	_ "github.com/gostreamer/streamer/memory"
	_ "github.com/gostreamer/streamer/redis"
	_ "github.com/gostreamer/streamer/stdio"
)
