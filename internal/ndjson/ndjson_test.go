package ndjson_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
	"github.com/gostreamer/streamer/internal/ndjson"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// forms pairs lines with what they say; Append gives exactly the line.
var forms = []struct {
	name, line string
	want       ndjson.Line
}{
	{"everything", `{"stream":"orders","shard":3,"seq":"17","time":"2024-05-06T07:08:09.000000001Z","key":"k","headers":[{"key":"a","value":"b"},{"key":"a","value":"c"}],"value":"v"}`,
		ndjson.Line{
			Meta:     streamer.Meta{Stream: "orders", Shard: 3, Seq: streamer.SeqUint(17), Time: time.Date(2024, 5, 6, 7, 8, 9, 1, time.UTC)},
			HasShard: true, Key: []byte("k"), Value: []byte("v"),
			Headers: []streamer.Header{{Key: "a", Value: []byte("b")}, {Key: "a", Value: []byte("c")}},
		}},
	{"only a value", `{"value":"v"}`, ndjson.Line{Value: []byte("v")}},
	{"no value", `{"value":null}`, ndjson.Line{}},
	{"an empty value", `{"value":""}`, ndjson.Line{Value: []byte{}}},
	{"an empty key", `{"key":"","value":""}`, ndjson.Line{Key: []byte{}, Value: []byte{}}},
	{"shard 0 that was said", `{"shard":0,"value":""}`, ndjson.Line{HasShard: true, Value: []byte{}}},
	{"the largest shard that every reader of JSON can hold", `{"shard":9007199254740991,"value":""}`, ndjson.Line{Meta: streamer.Meta{Shard: 1<<53 - 1}, HasShard: true, Value: []byte{}}},
	{"a larger shard", `{"shard":"9007199254740992","value":""}`, ndjson.Line{Meta: streamer.Meta{Shard: 1 << 53}, HasShard: true, Value: []byte{}}},
	{"the shard without a number", `{"shard":"plain","value":""}`, ndjson.Line{Meta: streamer.Meta{Shard: streamer.PlainShard}, HasShard: true, Value: []byte{}}},
	{"seq 0", `{"seq":"0","value":""}`, ndjson.Line{Meta: streamer.Meta{Seq: streamer.SeqUint(0)}, Value: []byte{}}},
	{"a pair", `{"seq":"1700000000000-7","value":""}`, ndjson.Line{Meta: streamer.Meta{Seq: streamer.SeqPair(1700000000000, 7)}, Value: []byte{}}},
	{"a decimal", `{"seq":"49590338271490256608559692538361571095921575989136588898/3","value":""}`,
		ndjson.Line{Meta: streamer.Meta{Seq: streamer.SeqDecimal("49590338271490256608559692538361571095921575989136588898", 3)}, Value: []byte{}}},
	{"binary", `{"stream_base64":"/w==","key_base64":"gA==","headers":[{"key_base64":"/g==","value_base64":"/Q=="},{"key":"nil","value":null},{"key":"","value":""}],"value_base64":"AP8="}`,
		ndjson.Line{
			Meta: streamer.Meta{Stream: "\xff"}, Key: []byte{0x80}, Value: []byte{0, 0xff},
			Headers: []streamer.Header{{Key: "\xfe", Value: []byte{0xfd}}, {Key: "nil"}, {Key: "", Value: []byte{}}},
		}},
	{"escapes", `{"value":"\"\\\b\f\n\r\t\u0000\u001f/é𝄞` + "\u2028\x7f" + `"}`, ndjson.Line{Value: []byte("\"\\\b\f\n\r\t\x00\x1f/é𝄞\u2028\x7f")}},
}

func TestEveryFieldSurvivesByteForByte(t *testing.T) {
	for _, c := range forms {
		t.Run(c.name, func(t *testing.T) {
			if got := string(ndjson.Append(nil, &c.want)); got != c.line {
				t.Errorf("Append:\n got %s\nwant %s", got, c.line)
			}
			got, err := ndjson.Parse([]byte(c.line))
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("Parse: %v\n got %+v\nwant %+v", err, got, c.want)
			}
			if !json.Valid([]byte(c.line)) {
				t.Error("not JSON")
			}
		})
	}
}

func TestParseTakesOtherSpellings(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{" { \"value\" : \"v\" , \"shard\" : 7 } \r\n", `{"shard":7,"value":"v"}`},
		{`{"seq":18446744073709551615,"value":null}`, `{"seq":"18446744073709551615","value":null}`},
		{`{"value":"\u00e9\ud834\udd1e\/\u0041","key":null}`, `{"value":"é𝄞/A"}`},
		{`{"value_base64":"YQ==","headers":[]}`, `{"value":"a"}`},
		{`{"value_base64":""}`, `{"value":""}`},
		{`{"time":"2024-01-01T02:00:00+02:00","value":""}`, `{"time":"2024-01-01T00:00:00Z","value":""}`},
		{`{"headers":[{"value":"b","key":"a"},{"key":"c"}],"value":""}`, `{"headers":[{"key":"a","value":"b"},{"key":"c","value":null}],"value":""}`},
	} {
		l, err := ndjson.Parse([]byte(c.line))
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
		} else if got := string(ndjson.Append(nil, &l)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.line, got, c.want)
		}
	}
}

// foreign maps lines that are not in the form to a part of the reason.
var foreign = map[string]string{
	"":                                    `no '{'`,
	"plain text":                          `no '{'`,
	"[1,2]":                               `no '{'`,
	"12":                                  `no '{'`,
	"null":                                `no '{'`,
	"{}":                                  "no value",
	`{"stream":"a"}`:                      "no value",
	`{"level":"info","value":"x"}`:        `unknown member "level"`,
	`{"value":12}`:                        `no '"'`,
	`{"value":{"a":1}}`:                   `no '"'`,
	`{"value":"a","value":"b"}`:           `a second "value"`,
	`{"value":"a","value_base64":"Yg=="}`: `a second "value_base64"`,
	`{"value":"a"`:                        `no '}'`,
	`{"value":"a`:                         "a string without end",
	`{"value":"a\`:                        "a string without end",
	`{"value":"a"} {}`:                    "something after the object",
	`{"value":"a",}`:                      `no '"'`,
	`{"value":"\ud834"}`:                  "half a surrogate pair",
	`{"value":"\ud834\u0041"}`:            "half a surrogate pair",
	`{"value":"\udd1e\ud834"}`:            "half a surrogate pair",
	`{"value":"\x41"}`:                    "no escape",
	`{"value":"\u00g1"}`:                  "no escape",
	"{\"value\":\"\xff\"}":                "not UTF-8",
	"{\"value\":\"\t\"}":                  "control character",
	`{"value_base64":"YQ"}`:               "no base64",
	`{"value_base64":"YR=="}`:             "no base64",
	`{"value":"","shard":-1}`:             "no number",
	`{"value":"","shard":1.5}`:            `no '}'`,
	`{"value":"","shard":01}`:             "no number",
	`{"value":"","shard":"1"}`:            "no number",
	`{"value":"","shard":"odd"}`:          "no number",
	`{"value":"","shard":null}`:           "no number",
	`{"value":"","seq":18446744073709551616}`:         "no number",
	`{"value":"","seq":"x"}`:                          "no sequence number",
	`{"value":"","seq":""}`:                           "no sequence number",
	`{"value":"","time":"yesterday"}`:                 "not RFC 3339",
	`{"value":"","time":"0000-01-01T00:00:00+01:00"}`: "not RFC 3339",
	`{"value":"","headers":[{"value":"b"}]}`:          "a header without key",
	`{"value":"","headers":[{"key":null}]}`:           "a header without key",
	`{"value":"","headers":[{"key":"a","at":1}]}`:     `unknown member "at"`,
	`{"value":"","headers":{"a":"b"}}`:                `no '['`,
	`{"value":"","headers":[["a","b"]]}`:              `no '{'`,
}

func TestForeignLinesAreRefusedWhole(t *testing.T) {
	for line, reason := range foreign {
		_, err := ndjson.Parse([]byte(line))
		var syntax *ndjson.SyntaxError
		if !errors.As(err, &syntax) || !strings.Contains(syntax.Reason, reason) {
			t.Errorf("%s: got %v, want %q", line, err, reason)
			continue
		}
		if syntax.Offset < 0 || syntax.Offset > len(line) {
			t.Errorf("%s: offset %d is outside the line", line, syntax.Offset)
		}
	}
}

func TestATimeThatRFC3339CannotSayIsLeftOut(t *testing.T) {
	for _, year := range []int{-1, 10000} {
		l := ndjson.Line{Meta: streamer.Meta{Time: time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)}}
		if got := string(ndjson.Append(nil, &l)); got != `{"value":null}` {
			t.Errorf("year %d: %s", year, got)
		}
	}
}

func TestMessageToLineToRecord(t *testing.T) {
	meta := streamer.Meta{Stream: "a", Shard: 2, Seq: streamer.SeqUint(5), Time: time.Unix(7, 8).UTC()}
	l := ndjson.Of(streamer.NewMessage(meta, []byte("k"), []byte("v"), []streamer.Header{{Key: "h"}}, nil))
	r := l.Record()
	if r.Stream != "a" || *r.Shard != 2 || !r.Time.Equal(meta.Time) || string(r.Key) != "k" || string(r.Value) != "v" || len(r.Headers) != 1 {
		t.Errorf("%+v", r)
	}
	if r := (&ndjson.Line{}).Record(); r.Shard != nil {
		t.Error("a shard that was not said")
	}
}

func TestLinesOfOneParserDoNotShareMemory(t *testing.T) {
	var p ndjson.Parser
	lines := make([]ndjson.Line, 1000)
	raw := []byte(`{"key":"\t","headers":[{"key":"a","value":"\n"},{"key":"b","value_base64":"/w=="}],"value":"x\ny"}`)
	for i := range lines {
		if err := p.Parse(slices.Clone(raw), &lines[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range lines {
		l := &lines[i]
		_ = append(l.Value, '!')
		_ = append(l.Key, '!')
		_ = append(l.Headers, streamer.Header{})
	}
	want, _ := ndjson.Parse(raw)
	for i := range lines {
		if !reflect.DeepEqual(lines[i], want) {
			t.Fatalf("line %d: %+v", i, lines[i])
		}
	}
}

func TestParseAllocatesNothingPerLine(t *testing.T) {
	var p ndjson.Parser
	var l ndjson.Line
	line := []byte(forms[0].line)
	if n := testing.AllocsPerRun(1000, func() { _ = p.Parse(line, &l) }); n > 0.1 {
		t.Errorf("%v allocations per line", n)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 1024)
	l := forms[0].want
	if n := testing.AllocsPerRun(1000, func() { buf = ndjson.Append(buf[:0], &l) }); n > 1 { // the text of the SeqNo
		t.Errorf("%v allocations per line", n)
	}
}
