package ndjson

import (
	"encoding/base64"
	"time"
	"unicode/utf8"
)

// Append appends l to dst, without a newline. Parse gives back what it was
// given, with nil Headers for empty ones. A time outside the years 0 to 9999,
// which RFC 3339 cannot say, is left out.
func Append(dst []byte, l *Line) []byte {
	dst = append(dst, '{')
	if l.Stream != "" {
		dst = append(appendText(dst, "stream", l.Stream), ',')
	}
	if l.HasShard {
		dst = append(l.Shard.AppendJSON(append(dst, `"shard":`...)), ',')
	}
	if !l.Seq.IsZero() {
		dst = append(dst, `"seq":"`...)
		dst = append(append(dst, l.Seq.String()...), `",`...)
	}
	if !l.Time.IsZero() && HasTime(l.Time) {
		dst = append(dst, `"time":"`...)
		dst = append(l.Time.UTC().AppendFormat(dst, time.RFC3339Nano), `",`...)
	}
	if l.Key != nil {
		dst = append(appendText(dst, "key", l.Key), ',')
	}
	dst = appendHeaders(dst, l)
	return append(appendValue(dst, l.Value), '}')
}

// HasTime says that the form can hold t.
func HasTime(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 0 && year <= 9999
}

func appendHeaders(dst []byte, l *Line) []byte {
	if len(l.Headers) == 0 {
		return dst
	}
	dst = append(dst, `"headers":[`...)
	for i := range l.Headers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendText(append(dst, '{'), "key", l.Headers[i].Key), ',')
		dst = append(appendValue(dst, l.Headers[i].Value), '}')
	}
	return append(dst, `],`...)
}

func appendValue(dst, value []byte) []byte {
	if value == nil {
		return append(dst, `"value":null`...)
	}
	return appendText(dst, "value", value)
}

// appendText appends the member name with text as a string, or as base64 when
// it is not UTF-8.
func appendText[T string | []byte](dst []byte, name string, text T) []byte {
	dst = append(append(dst, '"'), name...)
	if !valid(text) {
		dst = append(dst, `_base64":"`...)
		return append(base64.StdEncoding.AppendEncode(dst, []byte(text)), '"')
	}
	dst = append(dst, `":"`...)
	return append(appendEscaped(dst, text), '"')
}

func valid[T string | []byte](text T) bool {
	switch t := any(text).(type) {
	case string:
		return utf8.ValidString(t)
	case []byte:
		return utf8.Valid(t)
	}
	return false
}

// appendEscaped copies text, span by span, with what a JSON string may not hold
// escaped.
func appendEscaped[T string | []byte](dst []byte, text T) []byte {
	const hex = "0123456789abcdef"
	from := 0
	for i := range len(text) {
		c := text[i]
		if plain[c] {
			continue
		}
		dst = append(dst, text[from:i]...)
		from = i + 1
		if short := escapes[c]; short != 0 {
			dst = append(dst, '\\', short)
			continue
		}
		dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return append(dst, text[from:]...)
}
