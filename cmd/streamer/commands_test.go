package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/gostreamer/streamer/internal/ndjson"
)

func TestProduceThenConsume(t *testing.T) {
	drop(t, "pc")
	here(t, "a\n\nb c\n", "-v", "produce", "memory://pc/s").want(t, exitOK, "", "produce: 3 messages, 4 bytes stored")
	here(t, "", "consume", "memory://pc/s", "--until-end").want(t, exitOK, "a\n\nb c\n")
	here(t, "", "consume", "memory://pc/s", "--start=beginning", "-n", "1").want(t, exitOK, "a\n")
	here(t, "", "consume", "memory://pc/s", "-n", "0").want(t, exitOK, "")
}

func TestJSONCarriesEverything(t *testing.T) {
	drop(t, "json")
	in := `{"key":"k","headers":[{"key":"h","value":"1"},{"key":"h","value":null}],"time":"2024-05-06T07:08:09.5Z","value":"v\n"}` + "\n" +
		`{"key_base64":"/w==","value":null}` + "\n" + `{"value":""}` + "\n"
	here(t, in, "produce", "memory://json/s", "-o", "json").want(t, exitOK, "")
	r := here(t, "", "consume", "memory://json/s", "-o", "json", "--until-end")
	lines := strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%+v", r)
	}
	first, err := ndjson.Parse([]byte(lines[0]))
	if err != nil || string(first.Key) != "k" || string(first.Value) != "v\n" || len(first.Headers) != 2 || first.Headers[1].Value != nil ||
		first.Time.Format("15:04:05.0") != "07:08:09.5" || first.Stream != "s" || first.Seq.IsZero() || !first.HasShard {
		t.Errorf("%s: %+v, %v", lines[0], first, err)
	}
	second, err := ndjson.Parse([]byte(lines[1]))
	if err != nil || string(second.Key) != "\xff" || second.Value != nil {
		t.Errorf("%s: %+v, %v", lines[1], second, err)
	}
	here(t, r.stdout, "produce", "memory://json/copy", "-i", "json").want(t, exitOK, "")
	again := here(t, "", "consume", "memory://json/copy", "-o", "json", "--until-end").stdout
	if strings.ReplaceAll(again, `"copy"`, `"s"`) != r.stdout {
		t.Errorf("%s came back as %s", r.stdout, again)
	}
}

func TestTheStreamOfALineCountsWhereTheURINamesNone(t *testing.T) {
	drop(t, "lines")
	in := `{"stream":"a","value":"1"}` + "\n" + `{"stream":"b","value":"2"}` + "\n"
	here(t, in, "produce", "memory://lines", "-i", "json").want(t, exitOK, "")
	here(t, in, "produce", "memory://lines/c", "-i", "json").want(t, exitOK, "")
	here(t, "", "streams", "memory://lines").want(t, exitOK, "a\nb\nc\n")
	here(t, "", "consume", "memory://lines/c", "--until-end").want(t, exitOK, "1\n2\n")
}

func TestKeyHeaderAndShardFlags(t *testing.T) {
	drop(t, "attr")
	here(t, "v\n", "produce", "memory://attr/s?shards=4", "-k", "k", "-H", "a=1=2,3", "-H", "b=", "--shard=2").want(t, exitOK, "")
	r := here(t, "", "consume", "memory://attr/s?shards=4", "-o", "json", "--until-end")
	for _, want := range []string{`"shard":2`, `"key":"k"`, `"headers":[{"key":"a","value":"1=2,3"},{"key":"b","value":""}]`} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is without %s", r.stdout, want)
		}
	}
}

func TestFailedRecordsAreCountedAndTheRestIsStored(t *testing.T) {
	drop(t, "failed")
	in := strings.Repeat("{\"value\":\"ok\"}\nnonsense\n", 12)
	r := here(t, in, "produce", "memory://failed/s", "-i", "json")
	r.want(t, exitUsage, "", "line 2: ", "further failures are counted", "12 messages, 24 bytes stored, 12 failed", "12 records failed, the first: ")
	if n := strings.Count(r.stderr, "streamer: line "); n != 10 {
		t.Errorf("%d failures are shown: %s", n, r.stderr)
	}
	here(t, "1\n123\n1\n", "-v", "produce", "memory://failed/long", "--max-line=2").want(t, exitFailed, "", "line 2: too large", "2 messages")
}

func TestConsumeInAGroupResumes(t *testing.T) {
	drop(t, "groups")
	here(t, numbers("m", 1, 10), "produce", "memory://groups/s").want(t, exitOK, "")
	group := "memory://groups/s?mode=resumable&group=g&reset=earliest"
	here(t, "", "consume", group, "-n3").want(t, exitOK, numbers("m", 1, 3))
	here(t, "", "consume", group, "-n3").want(t, exitOK, numbers("m", 4, 6))
	here(t, "", "consume", group, "-n2", "--ack=manual").want(t, exitOK, numbers("m", 7, 8))
	if r := here(t, "", "lag", group); !strings.HasPrefix(r.stdout, "STREAM  SHARD  GROUP  BEHIND  TIME\ns       0      g      4       ") {
		t.Errorf("%+v", r)
	}
	here(t, "", "consume", group, "--until-end").want(t, exitOK, numbers("m", 7, 10))
	here(t, "", "consume", group, "--until-end").want(t, exitOK, "")
	here(t, "", "groups", "memory://groups/s").want(t, exitOK, "STREAM  GROUP  MEMBERS  BEHIND\ns       g      0        0\n")
	here(t, "", "groups", "memory://groups/s", "-o", "json").want(t, exitOK,
		`{"stream":"s","group":"g","members":0,"messages":0,"shards":[{"shard":0,"messages":0,"seconds":0}]}`+"\n")
	here(t, "", "lag", "memory://groups/s", "-g", "nobody").want(t, exitNotFound, "", `group "nobody"`)
}

func TestDescribeAndCreate(t *testing.T) {
	drop(t, "made")
	here(t, "", "create", "memory://made/a,b", "--shards=2").want(t, exitOK,
		"STREAM  SHARD  FIRST  NEXT  STATE\na       0      0      0     open\na       1      0      0     open\nb       0      0      0     open\nb       1      0      0     open\n")
	here(t, "", "create", "memory://made/a").want(t, exitExists, "", "exists")
	here(t, "1\n2\n", "produce", "memory://made/a?shards=2", "--shard=1").want(t, exitOK, "")
	r := here(t, "", "describe", "memory://made", "-o", "json")
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if len(lines) != 2 || lines[0] != `{"stream":"a","shards":[{"shard":0,"first":"0","next":"0","open":true},{"shard":1,"first":"0","next":"2","open":true}]}` {
		t.Errorf("%+v", r)
	}
	here(t, "", "streams", "memory://made").want(t, exitOK, "a\nb\n")
	here(t, "", "streams", "memory://made", "--prefix=b", "-o", "json").want(t, exitOK, `{"stream":"b"}`+"\n")
	here(t, "", "describe", "memory://made/c").want(t, exitNotFound, "", "describe memory c: not found", "hint: ")
}

func TestVersionSaysWhatTheBinaryIs(t *testing.T) {
	r := there(t, "", "version", "-o", "json")
	var b build
	if err := json.Unmarshal([]byte(r.stdout), &b); err != nil || b.Version == "" || !strings.HasPrefix(b.Go, "go1.") || !strings.Contains(b.Platform, "/") {
		t.Errorf("%+v, %v: %+v", r, err, b)
	}
	text := there(t, "", "version").stdout
	if !strings.HasPrefix(text, "streamer "+b.Version) || !strings.HasSuffix(text, b.Go+" "+b.Platform+"\n") {
		t.Errorf("%q", text)
	}
}

func TestUntilEndReadsEveryShardToItsEndAsOfTheStart(t *testing.T) {
	drop(t, "ends")
	var want []string
	for i := range 40 {
		in := numbers("a"+string(rune('A'+i))+".", 1, 50)
		here(t, in, "produce", "memory://ends/s?shards=8", "-k", string(rune('A'+i))).want(t, exitOK, "")
		want = append(want, strings.Fields(in)...)
	}
	for _, mode := range []string{"--mode=realtime", "--mode=resumable", "--mode=load-balanced"} {
		args := []string{"consume", "memory://ends/s", "--until-end", mode}
		if mode != "--mode=realtime" {
			args = append(args, "--group="+mode[7:])
		}
		r := here(t, "", args...)
		got := strings.Fields(r.stdout)
		slices.Sort(got)
		slices.Sort(want)
		if r.code != exitOK || !slices.Equal(got, want) {
			t.Errorf("%s: exit code %d, %d of %d messages; %s", mode, r.code, len(got), len(want), r.stderr)
		}
	}
}
