package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
)

// logHandler prints what the library logs as the program's own lines:
// "streamer: warning: shard stalled stream=orders".
type logHandler struct {
	w       io.Writer
	verbose bool   // state changes as well as warnings
	attrs   string // " key=value" of WithAttrs
	prefix  string // "group." of WithGroup
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || h.verbose
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString("streamer: ")
	switch {
	case r.Level >= slog.LevelError:
		b.WriteString("error: ")
	case r.Level >= slog.LevelWarn:
		b.WriteString("warning: ")
	}
	b.WriteString(oneLine(r.Message))
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(h.format(a))
		return true
	})
	b.WriteByte('\n')
	_, err := io.WriteString(h.w, b.String())
	return err
}

func (h *logHandler) format(a slog.Attr) string {
	value := oneLine(a.Value.Resolve().String())
	if value == "" {
		return ""
	}
	if strings.ContainsAny(value, " \t") {
		value = `"` + value + `"`
	}
	return " " + h.prefix + a.Key + "=" + value
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	for _, a := range attrs {
		with.attrs += h.format(a)
	}
	return &with
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	with := *h
	with.prefix += name + "."
	return &with
}
