// Package stdio makes a filter of a program that reads and writes streams:
// stdio:// is its standard input and output, one message per line. The lines
// are SeaStreamer's, which a person can read and write, or JSON that carries
// everything. [Connect] takes any reader and writer instead.
//
// # URI
//
//	stdio:///stream[,stream…][?option=value…]
//
// There is no host. Without a stream, and with the stream "*", a consumer reads
// every stream, and a producer's records have to name theirs.
//
// # Options
//
// Beside those that every backend knows:
//
//	format=line|json               how a message stands on its line; default line
//	create=auto|always|never|new   has no effect: a stream of a pipe is there as soon as a line names it
//
// All consumers of one input agree on its format.
//
// The line format is SeaStreamer's input grammar:
//
//	line   = "[" head "]" value / value
//	head   = T | T K | T K S | T K S H | K | K S | K S H     with "|" between its parts, white space around them
//	T      = YYYY-MM-DDTHH:MM:SS[.digits]                    time, UTC; absent: when the line was read
//	K      = 1 to 249 of A-Z a-z 0-9 . _ -                   stream; absent: for every consumer
//	S      = 0 to 2^64-1                                     sequence number; absent: the next of its shard
//	H      = 0 to 2^64-1                                     shard; absent: 0
//
//	plain text
//	[orders] one lamp
//	[2024-05-06T07:08:09.5 | orders | 17 | 2] one lamp
//
// White space in front of the value is left out, unless there is nothing else;
// a carriage return at the end belongs to the value. A line that begins like a
// head and is none, such as a JSON array, is a value as it stands: the first
// one is worth a warning. A producer writes all four parts of the head:
// SeaStreamer writes neither shard nor fractions of a second, but reads both.
// What would not come back equal is refused on the record's receipt
// ([streamer.ErrUnsupported]): a key, headers, a nil value, a value that has a
// newline, begins with white space and goes on with something else, or is not
// UTF-8.
//
// The JSON format is an object per line, such as
//
//	{"stream":"orders","shard":2,"seq":"17","time":"2024-05-06T07:08:09.5Z","key":"k","headers":[{"key":"a","value":"b"}],"value":"one lamp"}
//
//	member    JSON                               when it is absent
//	stream    string                             for every consumer
//	shard     number, 0 to 2^64-1                0
//	seq       string, any backend's sequence     the next of its shard
//	          number; or a number, 0 to 2^64-1
//	time      string, RFC 3339                   when the line was read
//	key       string or null                     no key, as null
//	headers   array of {"key": …, "value": …}    none
//	value     string or null                     the line is not in this form
//
// A string that is not UTF-8 stands in base64 under the name with _base64
// added, in headers too. Members come in any order. A line with another member,
// a member twice or of another type, or anything else than such an object, is
// another program's: it is the value of a message for every consumer, as it
// stands, and the first one is worth a warning. So no line is lost, nor
// understood in part.
//
// # Shards
//
// A shard is there as soon as a line names it. A record goes to the shard that
// it names, else to shard 0.
//
// # Ordering
//
// Messages come in the order of their lines. The sequence numbers of a shard
// count from 0; a line that says its own is followed by the next higher one.
// They rise if the writer's do. Of an output, numbers count from 0 per shard as
// long as the process lives (another writer than standard output: the
// Streamer).
//
// Members of a group in one process share a shard. What a slow or a leaving
// member gives up goes to another, which may have taken later messages of the
// shard: a key's are in order, those without a key need not be.
//
// # Delivery
//
// RealTime: every consumer sees every line of its streams from the one on that
// no consumer had been given when it opened. Reading begins with the first
// consumer; a line that no consumer was given waits for the next one. So the
// first consumer misses nothing, but a second one misses what the first has
// fetched ahead by then: to read several streams of an input that is there
// already, such as a file, open one consumer on all of them. What a consumer
// has fetched ahead and not handed out when it closes is for the next one to
// open, but for lines that another consumer which is open reads itself. A line
// that names no stream reaches every consumer, whatever that subscribed to, as
// the stream "broadcast"; a line that names "broadcast" reaches who subscribed
// to it. Both are numbered together.
//
// LoadBalanced: the members of a group, in all Streamers of the process, share
// the lines: a key stays with one member, lines without a key go to them in
// turn. What its last member was handed and did not acknowledge is lost when
// that closes; what no consumer was handed is for the next consumer.
//
// The end of the input is [io.EOF], for each consumer after its last message;
// the last line needs no newline. The slowest open consumer holds up the
// others, and the writer of the pipe: 1 MiB is read ahead.
//
// A pipe is read once, from where it is, so there are no positions: Resumable,
// Start, AutoReset other than Latest, Seek, Rewind, Shards, Assign, Lag and
// Admin are [streamer.ErrUnsupported].
//
// # Durability
//
//	                         lines that were stored               lines that were read and not acknowledged
//	Streamer closed          with the reader of the pipe          lost, but for those that were not handed out
//	SIGKILL of the program   with the reader of the pipe          lost
//	SIGKILL of the reader    lost with what it had not done       the writer's to send again
//	power loss               lost, unless Out is a file that      lost
//	                         the caller syncs
//
// A record is stored when the Write that has its line returned. A Write that
// was cut short has its line finished before the next one; its receipt, like
// that of a line whose Write never returned, says [streamer.ErrUnknown]. When
// the reader of a pipe is gone, receipts say [streamer.ErrClosed], wrapping the
// system's error. A write to standard output by this package does not end the
// program by SIGPIPE, as the program's own do: filters that want to end quietly
// then, end on that error.
//
// # Limits
//
// A line has at most 64 MiB: a longer one is skipped and reported
// ([streamer.Hooks].Skipped), and no record becomes one
// ([streamer.ErrTooLarge]). Times are of the years 0 to 9999, in nanoseconds.
// An input and an output remember each shard they have come across, with about
// 200 bytes.
//
// A descriptor that another process makes non-blocking (O_NONBLOCK), at any
// time, is waited for all the same.
//
// One goroutine reads, while there is a consumer. Close ends it, also inside a
// Read where the reader has a deadline that works: pipes made by os.Pipe,
// sockets. A Read of a terminal, of a pipe that the program was started with,
// or of a reader without deadlines can't be interrupted: this goroutine
// outlives Close until that Read returns, and what it brings is the next
// consumer's. The same goes for a Write that waits, whose goroutine is
// otherwise joined.
//
// # Native access
//
// There is none: [Config] has the reader and the writer.
package stdio
