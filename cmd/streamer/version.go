package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct {
	Output string `short:"o" enum:"text,json" default:"text" help:"text: one line. json: one JSON object."`
}

// build is what the binary knows about itself; what it does not know is left
// out.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (c *versionCmd) Run(_ context.Context, e *env) error {
	info, _ := debug.ReadBuildInfo()
	b := newBuild(info)
	t := &table{}
	t.add(b, b.String())
	return t.print(e.out, c.Output == "json")
}

// newBuild reads info, which may be nil.
func newBuild(info *debug.BuildInfo) build {
	b := build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return b
	}
	b.Version = cmp.Or(info.Main.Version, b.Version)
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (b build) String() string {
	s := "streamer " + b.Version
	if b.Revision != "" {
		s += fmt.Sprintf(" (%.12s, %s", b.Revision, cmp.Or(b.Time, "no date"))
		if b.Modified {
			s += ", modified"
		}
		s += ")"
	}
	return s + " " + b.Go + " " + b.Platform
}
