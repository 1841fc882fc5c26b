package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sampleLog is a file of SeaStreamer's.
const sampleLog = "../../file/internal/ss/testdata/seastreamer/"

func TestDecodeAsSeaStreamerDoes(t *testing.T) {
	r := here(t, "", "file", "decode", sampleLog+"consumer.ss")
	lines := strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
	for at, want := range map[int]string{
		0:   `# {"file_name":"consumer-1691686154741","created_at":"2023-08-10T16:49:14.742","beacon_interval":1024}`,
		1:   `[2023-08-10T16:49:14.745 | hello | 0 | 1] hello-0`,
		22:  `# [{"header":{"stream_key":"hello","shard_id":1,"sequence":20,"timestamp":"2023-08-10T16:49:14.773"},"running_checksum":2887}]`,
		105: `[2023-08-10T16:49:14.921 | SEA_STREAMER_INTERNAL | 0 | 0] EOS`,
	} {
		if r.code != exitOK || len(lines) != 106 || lines[at] != want {
			t.Fatalf("line %d of %d is %q, want %q (exit code %d, %s)", at, len(lines), lines[min(at, len(lines)-1)], want, r.code, r.stderr)
		}
	}
	r = here(t, "", "file", "decode", sampleLog+"consumer.ss", "-o", "ndjson", "--header-only")
	if !strings.HasPrefix(r.stdout, "/* {") || !strings.Contains(r.stdout, "\n"+`{"header":{"stream_key":"hello","shard_id":1,"sequence":0,"timestamp":"2023-08-10T16:49:14.745"},"payload":null}`+"\n") {
		t.Errorf("%.300s", r.stdout)
	}
	r = here(t, "", "file", "decode", sampleLog+"quicksort.ss")
	if n := strings.Count(r.stdout, "] <BINARY BLOB>\n"); n != 20 {
		t.Errorf("%d payloads are no text, want 20", n)
	}
}

func TestDecodedPayloads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.ss")
	in := `{"value":"{\"b\":1.50,\"a\":[2,\"<\"]}"}` + "\n" + `{"value":"text"}` + "\n" + `{"value_base64":"/wA="}` + "\n" + `{"value":"12345678901234567890123"}` + "\n"
	here(t, in, "produce", "file://"+path+"/s", "-o", "json").want(t, exitOK, "")
	r := here(t, "", "file", "decode", path, "-o", "ndjson")
	for _, want := range []string{`"payload":{"a":[2,"<"],"b":1.50}}`, `"payload":"text"}`, `"payload":[255,0]}`, `"payload":12345678901234567890123}`} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%s is without %s", r.stdout, want)
		}
	}
}

// TestDecodeAsJSONAndProduceAgain loses nothing.
func TestDecodeAsJSONAndProduceAgain(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.ss"), filepath.Join(dir, "b.ss")
	in := `{"stream":"x","key":"k","headers":[{"key":"h","value":null}],"time":"2024-05-06T07:08:09.5Z","value":"v\n"}` + "\n" + `{"stream":"y","key_base64":"/w==","value":null}` + "\n"
	here(t, in, "produce", "file://"+a, "-o", "json").want(t, exitOK, "")
	first := here(t, "", "file", "decode", a, "-o", "json").stdout
	here(t, first, "produce", "file://"+b, "-o", "json").want(t, exitOK, "")
	here(t, "", "file", "decode", b, "-o", "json").want(t, exitOK, first)
}

func TestDamageHasItsExitCode(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile(sampleLog + "consumer.ss")
	if err != nil {
		t.Fatal(err)
	}
	path, to := filepath.Join(dir, "damaged.ss"), filepath.Join(dir, "mended.ss")
	damaged := bytes.Replace(whole, []byte("hello-42"), []byte("hello+42"), 1)
	damaged = bytes.Replace(damaged, []byte("hello-77"), []byte("hello+77"), 1)
	if err := os.WriteFile(path, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	here(t, "", "file", "verify", sampleLog+"consumer.ss").want(t, exitOK, "ended: the last frame is an end of stream\n"+
		"STREAM  SHARD  FIRST  LAST  MESSAGES  BYTES  MISSING\nhello   1      0      99    100       790    0\n100 messages, 101 frames, 4 beacons\n")
	r := here(t, "", "file", "verify", path)
	if r.code != exitFailed || strings.Count(r.stdout, "damaged: bytes ") != 2 || !strings.Contains(r.stderr, "2 ranges") {
		t.Errorf("%+v", r)
	}
	r = here(t, "", "file", "verify", path, "-o", "json")
	if r.code != exitFailed || strings.Count(r.stdout, `"cause":"checksum mismatch"`) != 2 || !strings.Contains(r.stdout, `"damaged_ranges":2`) {
		t.Errorf("%+v", r)
	}
	r = here(t, "", "file", "decode", path)
	if r.code != exitFailed || strings.Count(r.stdout, "hello-") != 98 || strings.Count(r.stderr, "warning") != 2 {
		t.Errorf("exit code %d, %d messages, %s", r.code, strings.Count(r.stdout, "hello-"), r.stderr)
	}
	here(t, "", "file", "repair", path, to).want(t, exitOK, "98 messages kept, 0 of them out of what readers pass over; lost: 129 bytes in 2 ranges, 2 numbers missing\n")
	here(t, "", "file", "repair", path, to).want(t, exitExists, "")
	here(t, "", "file", "verify", to, "-q").want(t, exitOK, "ended: the last frame is an end of stream\n"+
		"STREAM  SHARD  FIRST  LAST  MESSAGES  BYTES  MISSING\nhello   1      0      99    98        774    2\n98 messages, 99 frames, 4 beacons\n")
	r = here(t, "", "file", "info", path, "-o", "json")
	if r.code != exitOK || !strings.Contains(r.stdout, `"name":"consumer-1691686154741"`) || !strings.Contains(r.stdout, `"missing":2`) {
		t.Errorf("%+v", r)
	}
}

func TestToolsRefuseWhatIsNoLog(t *testing.T) {
	notes := filepath.Join(t.TempDir(), "notes.ss")
	if err := os.WriteFile(notes, []byte("notes"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"decode", "verify", "info"} {
		here(t, "", "file", verb, notes).want(t, exitUsage, "", "not an .ss file")
		here(t, "", "file", verb, notes+".none").want(t, exitNotFound, "")
	}
	here(t, "", "file", "repair", notes, notes+".new").want(t, exitUsage, "")
}

func TestFileInfoShowsStreams(t *testing.T) {
	here(t, "", "file", "info", sampleLog+"sample-1.ss").want(t, exitOK, `log ../../file/internal/ss/testdata/seastreamer/sample-1.ss, made as "vec_map-1694767177436.firedbg.ss" on 2023-09-15T08:39:37.437, a beacon every 1,048,576 bytes
3,481 bytes: 27 messages, 28 frames, 0 beacons
ended: the last frame is an end of stream
STREAM      SHARD  FIRST  LAST  MESSAGES  BYTES  MISSING
breakpoint  0      1      4     4         552    0
event       0      1      22    22        1593   0
file        0      1      1     1         134    0
`)
}
