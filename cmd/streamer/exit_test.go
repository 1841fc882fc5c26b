package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/gostreamer/streamer"
)

func TestExitCodes(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"version":           {[]string{"version"}, exitOK, ""},
		"help":              {[]string{"--help"}, exitOK, ""},
		"help of a command": {[]string{"relay", "--help"}, exitOK, ""},
		"no command":        {nil, exitUsage, "expected one of"},
		"unknown command":   {[]string{"explode"}, exitUsage, "explode"},
		"unknown flag":      {[]string{"consume", "stdio:///s", "--explode"}, exitUsage, "--explode"},
		"no URI":            {[]string{"consume"}, exitUsage, "<uri>"},
		"bad output":        {[]string{"consume", "stdio:///s", "-o", "xml"}, exitUsage, "text"},
		"bad value":         {[]string{"consume", "stdio:///s", "--mode=odd"}, exitUsage, `--mode="odd"`},
		"bad header":        {[]string{"produce", "stdio:///s", "-H", "odd"}, exitUsage, "NAME=VALUE"},
		"not a URI":         {[]string{"consume", "/tmp/x"}, exitUsage, "scheme://"},
		"unknown scheme":    {[]string{"consume", "odd://x/y"}, exitUsage, `"odd"`},
		"unknown option":    {[]string{"consume", "stdio:///s?odd=1"}, exitUsage, "odd"},
		"no stream":         {[]string{"consume", "memory://x"}, exitUsage, "no stream"},
		"group of realtime": {[]string{"consume", "memory://x/y", "--mode=realtime", "--group=g"}, exitUsage, "group"},
		"group in the URI":  {[]string{"consume", "memory://x/y?group=g", "--mode=realtime"}, exitUsage, "group"},
		"mode in the URI":   {[]string{"consume", "memory://x/y?mode=realtime", "--group=g"}, exitUsage, "group"},
		"both in the URI":   {[]string{"consume", "memory://x/y?mode=realtime&group=g"}, exitUsage, "group"},
		"no group's name":   {[]string{"consume", "memory://x/y?group="}, exitUsage, "empty"},
		"nor in a flag":     {[]string{"consume", "memory://x/y", "--group="}, exitUsage, "empty"},
		"relay of realtime": {[]string{"relay", "memory://x/y?group=g", "memory://x/z", "--mode=realtime"}, exitUsage, "group"},
		"shards of a group": {[]string{"consume", "memory://x/y?group=g&assign=0"}, exitUsage, "mode=resumable"},
		"bad size":          {[]string{"produce", "stdio:///s", "--max-line=0"}, exitUsage, "--max-line=0"},
		"several targets":   {[]string{"produce", "memory://x/y,z"}, exitUsage, "names 2"},
		"not found":         {[]string{"consume", "memory://x/y"}, exitNotFound, "hint: "},
		"unsupported":       {[]string{"describe", "stdio:///s"}, exitUnsupported, "hint: "},
		"too large":         {[]string{"produce", "stdio:///s", "--max-line=1"}, exitFailed, "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			r := there(t, "12\n", c.args...)
			if r.code != c.code || !strings.Contains(r.stderr, c.says) {
				t.Errorf("exit code %d, want %d, saying %q: %s", r.code, c.code, c.says, r.stderr)
			}
			if c.code != exitOK && (!strings.HasPrefix(r.stderr, "streamer: ") || r.stdout != "") {
				t.Errorf("stdout %q, stderr %q", r.stdout, r.stderr)
			}
		})
	}
}

func TestEachKindOfErrorHasItsCode(t *testing.T) {
	wrapped := func(kind error) error {
		return &streamer.Error{Op: "consumer", Backend: "file", Stream: "s", Kind: kind}
	}
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, exitOK},
		{stopped{}, exitOK},
		{errPipeClosed, exitOK},
		{wrapped(streamer.ErrInvalid), exitUsage},
		{wrapped(streamer.ErrNotFound), exitNotFound},
		{wrapped(streamer.ErrDenied), exitDenied},
		{wrapped(streamer.ErrBusy), exitBusy},
		{wrapped(streamer.ErrFenced), exitBusy},
		{wrapped(streamer.ErrUnsupported), exitUnsupported},
		{wrapped(streamer.ErrExists), exitExists},
		{wrapped(streamer.ErrUnknown), exitFailed},
		{wrapped(streamer.ErrPositionGone), exitFailed},
		{io.ErrUnexpectedEOF, exitFailed},
		{context.DeadlineExceeded, exitFailed},
		{also(stopped{}, wrapped(streamer.ErrUnknown)), exitFailed},
		{also(wrapped(streamer.ErrBusy), stopped{}), exitBusy},
	} {
		if code := report(io.Discard, c.err); code != c.code {
			t.Errorf("%v: exit code %d, want %d", c.err, code, c.code)
		}
	}
}

func TestTheHelpListsEveryExitCode(t *testing.T) {
	for _, code := range []int{exitOK, exitFailed, exitUsage, exitNotFound, exitDenied, exitBusy, exitUnsupported, exitExists, exitSecond} {
		if !strings.Contains(description, "\n  "+strconv.Itoa(code)+" ") {
			t.Errorf("%d is missing", code)
		}
	}
}

func TestAnErrorIsOneLine(t *testing.T) {
	var b strings.Builder
	report(&b, errors.Join(errors.New("one"), fmt.Errorf("two\r\nthree")))
	if b.String() != "streamer: one; two; three\n" {
		t.Errorf("%q", b.String())
	}
}

func TestNoPasswordIsPrinted(t *testing.T) {
	for _, args := range [][]string{
		{"consume", "odd://u:secret@h/s"},
		{"-v", "relay", "memory://u:secret@h/s", "memory://u:secret@h/t?password=secret"},
		{"relay", "stdio://u:secret@h/s", "stdio://u:secret@h/s", "--window=0"},
	} {
		r := there(t, "", args...)
		if strings.Contains(r.stderr, "secret") || r.code == exitOK {
			t.Errorf("%+v", r)
		}
	}
}
