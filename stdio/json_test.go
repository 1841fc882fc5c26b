package stdio

import (
	"strings"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

func TestJSONLines(t *testing.T) {
	all := readAll(t, `{"stream":"a","shard":3,"seq":"7","time":"2022-01-02T03:04:05.000000006Z","key":"k","headers":[{"key":"h","value":"1"},{"key":"h","value":"2"}],"value":"v"}
{"stream":"a","shard":3,"value_base64":"AP8="}
{"stream":"a","key":"","value":null}
{"value":"for all"}
`, JSON, "a")
	if got, want := show(all), "a/3#7=v a/3#8=\x00\xff a/0#0= broadcast/0#0=for all"; got != want {
		t.Fatalf("\n got %q\nwant %q", got, want)
	}
	m := all[0]
	if m.Time != time.Date(2022, 1, 2, 3, 4, 5, 6, time.UTC) || string(m.Key) != "k" || len(m.Headers) != 2 || string(m.Headers[1].Value) != "2" {
		t.Errorf("%+v", m)
	}
	if m := all[1]; m.Key != nil || m.Headers != nil {
		t.Errorf("%+v", m)
	}
	if m := all[2]; m.Key == nil || len(m.Key) != 0 || m.Value != nil {
		t.Errorf("%+v", m)
	}
	if m := all[3]; time.Since(m.Time) > time.Hour {
		t.Errorf("received at %v", m.Time)
	}
}

func TestJSONSequenceNumbersOfOtherBackends(t *testing.T) {
	all := readAll(t, `{"stream":"a","seq":"5-1","value":""}
{"stream":"a","value":""}
{"stream":"a","seq":"49590338271490256608559692538361571095921575989136588898/3","value":""}
{"stream":"a","seq":9,"value":""}
{"stream":"a","value":""}
`, JSON, "a")
	if got, want := show(all), "a/0#5-1= a/0#0= a/0#49590338271490256608559692538361571095921575989136588898/3= a/0#9= a/0#10="; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// TestForeignJSONLinesAreRawValues: a line that is not a message in our form is
// the value of a message for everyone, untouched.
func TestForeignJSONLinesAreRawValues(t *testing.T) {
	lines := []string{
		`{"level":"info","msg":"started"}`, `{"stream":"stdout","log":"x"}`, `{"stream":"a","value":"x","more":1}`, `{"stream":"a","value":{"x":1}}`,
		`{"value":"a","value":"b"}`, `[1,2]`, `"text"`, `12`, `null`, `{}`, `{"stream":"a","value":"x"`, `plain text`, `[a | 1] not the line format`, "\xff", "", " ",
	}
	all := readAll(t, strings.Join(lines, "\n")+"\n", JSON, "a")
	if len(all) != len(lines) {
		t.Fatalf("%d messages, want %d", len(all), len(lines))
	}
	for i, m := range all {
		if m.Stream != broadcast || m.Seq != streamer.SeqUint(uint64(i)) || string(m.Value) != lines[i] || m.Value == nil || m.Key != nil || m.Headers != nil {
			t.Errorf("%q became %+v", lines[i], m)
		}
	}
}
