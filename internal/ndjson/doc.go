// Package ndjson is the form of one message as one line of JSON, in which
// nothing is lost: stdio reads and writes it with format=json, and the command
// line prints and takes it with -o json.
//
//	{"stream":"orders","shard":0,"seq":"17","time":"2024-05-06T07:08:09.000000001Z","key":"k","headers":[{"key":"a","value":"b"}],"value":"v"}
//
// A line is a JSON object whose members are those of this table, each at most
// once, in any order:
//
//	member    JSON                                  when it is absent
//	stream    string                                not said: the reader has a default
//	shard     number, 0 to 2^64-1; written as a     not said: the reader has a default
//	          string above 2^53-1; or "plain", the
//	          one without a number
//	seq       string, as streamer.SeqNo prints it,  not said: a record to send has none
//	          or a number, 0 to 2^64-1
//	time      string, RFC 3339, to the nanosecond   not said: now
//	key       string, "" is an empty key; or null   no key, as null
//	headers   array of {"key": …, "value": …},      none, as []
//	          in order; names may repeat; a
//	          value null or absent is nil
//	value     string, "" is an empty value; or      the line is not in this form
//	          null, which is no value (nil)
//
// What is not UTF-8 stands in base64 (RFC 4648, with padding) under the same
// name with _base64 added: stream_base64, key_base64, value_base64, and in a
// header key_base64 and value_base64. A reader takes either spelling, not both.
//
// A line that is not in this form is another program's, and Parse says why:
// another member, a member twice or of another type, no value, an unpaired
// surrogate, anything after the object. So no line is understood in part: what
// Parse takes it takes whole, and what it refuses the caller still has.
package ndjson
