// Package stdio turns a program that reads and writes streams into a filter:
// stdio:// is its standard input and output, one message per line. The lines
// have SeaStreamer's format, which people can read and write, or are JSON that
// carries everything. [Connect] takes any reader and writer instead.
//
// # URI
//
//	stdio:///stream[,stream…][?option=value…]
//
// There is no host. Without a stream, or with the stream "*", a consumer reads
// every stream, and a producer's records must name theirs.
//
// # Options
//
// In addition to those that every backend knows:
//
//	format=line|json               how a message stands on its line; default line
//	create=auto|always|never|new   has no effect: a stream of a pipe is there as soon as a line names it
//
// All consumers of one input must agree on its format.
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
// White space in front of the value is dropped, unless there is nothing else. A
// carriage return at the end belongs to the value. A line that starts like a
// head but is none, such as a JSON array, is a value as a whole; the first such
// line is reported as a warning. A producer writes all four parts of the head.
// SeaStreamer writes neither shard nor fractions of a second, but reads both. A
// record that would not be read back equal is refused on its receipt
// ([streamer.ErrUnsupported]): one with a key, headers, a nil value, or a value
// that contains a newline, starts with white space followed by something else,
// or is not UTF-8.
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
// A string that is not UTF-8 is written in base64 under its name with the
// suffix _base64, in headers too. Members may have any order. A line that is no
// such object, or has another member, a member twice or one of another type,
// belongs to another program. It becomes the value of a message for every
// consumer, as a whole, and the first such line is reported as a warning. So no
// line is lost or understood in part.
//
// # Shards
//
// A shard exists as soon as a line names it. A record goes to the shard that it
// names, or else to shard 0.
//
// # Ordering
//
// Messages have the order of their lines. The sequence numbers of a shard count
// from 0. A line may state its own number, and the next line continues from it.
// Numbers rise if the writer's do. In the output, numbers count from 0 per
// shard for the life of the process; with a writer other than standard output,
// of the Streamer.
//
// Members of a group in one process share a shard. Messages that a slow or
// leaving member gives up go to another, which may have taken later messages of
// the shard. Messages of one key stay in order; those without a key need not.
//
// # Delivery
//
// RealTime: every consumer sees every line of its streams, starting with the
// first line that no consumer had received when it opened. Reading begins with
// the first consumer. A line that no consumer has received waits for the next
// one. So the first consumer misses nothing, but a second one misses what the
// first has prefetched. To read several streams of input that exists already,
// such as a file, open one consumer on all of them. Lines that a consumer has
// prefetched and not handed out when it closes go to the next consumer that
// opens, except lines that another open consumer reads itself. A line that
// names no stream reaches every consumer, whatever its subscription, as the
// stream "broadcast". A line that names "broadcast" reaches the consumers that
// subscribe to it. Both are numbered together.
//
// LoadBalanced: the members of a group, in all Streamers of the process, share
// the lines. A key stays with one member; lines without a key go to the members
// in turn. When the last member closes, the lines that it was handed and did
// not acknowledge are lost; lines that were not handed out go to the next
// consumer.
//
// The end of the input is [io.EOF], for each consumer after its last message.
// The last line needs no newline. The slowest open consumer holds up the others
// and the writer of the pipe: at most 1 MiB is read ahead.
//
// A pipe is read once and forward, so there are no positions: Resumable, Start,
// AutoReset other than Latest, Seek, Rewind, Shards, Assign, Lag and Admin are
// [streamer.ErrUnsupported].
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
// A record is stored when the Write of its line has returned. If a Write is cut
// short, its line is completed before the next one; its receipt, like that of a
// line whose Write never returned, is [streamer.ErrUnknown]. When the reader of
// a pipe is gone, receipts are [streamer.ErrClosed], wrapping the system's
// error. A write by this package to standard output does not end the program by
// SIGPIPE, unlike the program's own writes: a filter that should end quietly
// then ends on that error.
//
// # Limits
//
// A line has at most 64 MiB. A longer one is skipped and reported
// ([streamer.Hooks].Skipped), and a record that would become one is
// [streamer.ErrTooLarge]. Times are between the years 0 and 9999, in
// nanoseconds. An input and an output keep about 200 bytes for each shard that
// they have seen.
//
// If another process makes a descriptor non-blocking (O_NONBLOCK), this package
// waits for it all the same.
//
// One goroutine reads while there is a consumer. Close ends it, also inside a
// Read if the reader supports deadlines: pipes made by os.Pipe, sockets. A Read
// of a terminal, of a pipe that the program was started with, or of a reader
// without deadlines cannot be interrupted. Then the goroutine outlives Close
// until that Read returns, and what it reads goes to the next consumer. The
// same is true for a Write that blocks, whose goroutine is otherwise joined.
//
// # Native access
//
// There is none: [Config] has the reader and the writer.
package stdio
