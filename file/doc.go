// Package file is a log in one file, or in a directory of segments: file://. A
// file is SeaStreamer's .ss format, byte for byte: what either writes the other
// reads. Any number of streams share a log, any number of processes read it,
// one writes it.
//
// # URI
//
//	file:///dir/log.ss/stream[,stream…][?option=value…]    absolute
//	file://./dir/log.ss/stream, file://log.ss/stream       relative to the working directory
//	file:///dir/log/stream[?segment=64MiB…]                a directory of segments: one that has some, or with segment= to make it one
//
// The log is the path's last element, or the last but one, that ends in ".ss";
// a path that ends with the log names no stream. "*" is every stream of the
// log, those that appear later too. A stream's name has 1 to 249 of A-Z a-z 0-9
// . _ - and does not start with SEA_STREAMER_. All spellings of a path are one
// log, hard links included, as long as they lead to it: what a path leads to
// may change, and each consumer and producer follows the path that it was
// given. Members of a group in one process that name the log by different paths
// are to each other what processes are. [Connect] does the same from code.
//
// # Options
//
// Beside those that every backend knows:
//
//	follow=true|false              at the end of the log: wait for more, or end with io.EOF; default true
//	create=auto|always|never|new   a log that does not exist: auto, the default, has producers create it; always has consumers create it too, and continue,
//	                               from the beginning, in one that replaces a log that vanished
//	shards=n                       over which a producer spreads records, 1 to 65536; default 1
//	sync=none|always|<interval>    when what is stored is on the disk; default none. See Durability
//	eos                            the last producer of the process to close ends the log with SeaStreamer's end of stream
//	beacon=1MiB                    distance of beacons in a log that is created, a multiple of 1 KiB
//	limit=16GiB                    the size that the log must not exceed: a record that would is ErrTooLarge, and leaves no trace; of a directory: none
//	segment=64MiB                  of a directory: the size from which on another segment is begun
//	segment_age=<duration>         and the age
//	retain_bytes=<size>            drop the oldest segments while all together are larger
//	retain_age=<duration>          drop segments to which nothing was written for so long
//	retain=committed               drop segments of which every group has done everything: a shard of a stream that a group reads, and for which it has
//	                               no position yet, is not done
//
// # Shards
//
// A record goes to the shard that it names, which may be any, else to that of
// its key (FNV-1a, 32 bits, modulo shards=), else to each of shards= in turn. A
// shard exists when it has a message, when Admin.Create made the stream with
// it, or when shards= of the reader says so; one that appears later is read
// from its beginning. Streams come into being with their first message or by
// Admin.Create, which notes them in the log; for a consumer a stream without
// messages is empty, not missing.
//
// # Ordering
//
// The sequence numbers of a stream's shard count from 1 ([streamer.SeqUint]),
// without gaps, and continue where they were when the log is opened again.
// SeaStreamer's low-level writers may start at 0. Time is the record's, else
// the moment of storing, in milliseconds from 1970 to 9999, others being
// [streamer.ErrUnsupported]; times that senders choose may be in any order:
// seeking finds, in each shard, the first message by sequence number that is
// late enough, and what follows it comes whatever its time. In what SeaStreamer
// has written to the log, that takes reading it from the beginning.
//
// Key, headers and a nil value, which the format cannot hold, travel in a
// frame of SeaStreamer's internal stream just before the message; its readers
// skip that and see the value untouched. docs/file-format.md has the
// bytes.
//
// Members of a group in one process share a shard. What a slow or a leaving
// member gives up goes to another, which may have taken later messages of the
// shard: a key's are in order, those without a key need not be.
//
// # Delivery
//
// Every mode. A consumer has the file open for itself and reads it once, front
// to back, whatever its streams and shards. A shard whose window is full is
// skipped for the others; when it has room the consumer goes back for its
// messages, then returns to where it was. At the end of the log it waits, woken
// by writers of the same process, by the file system's notices and, because
// these may fail, by a look each second; where there are none it looks every
// 250 ms at least. An end of stream that is the last thing in the log is
// io.EOF, with follow=true too; one that others follow is skipped.
//
// A group's positions are in log.ss.groups/<group>/, a file for each shard that
// anything can read, replaced atomically. Resumable and LoadBalanced hold a
// kernel lock on each shard they read. It is free with Close and with the
// process, however it ends. In Resumable a second owner, in this process or
// another, gets [streamer.ErrBusy].
//
// Processes with members of one LoadBalanced group divide its shards evenly:
// none has two more than another, one for which there is no shard stands by. A
// process that joins gets its share when those who have more are done with what
// they hold of it, or after 5 s. What a dead process had others take over
// within 0.2 s, or ten times as long as it takes to list a group's directory,
// and continue at the first message that is not committed. All read the same
// streams. Inside the process messages are dealt to the members: by key where
// there is one, else in turn. With follow=false a process ends when the whole
// log was read, each shard has an owner and it has read its share; others read
// what it had not committed when it has closed.
//
// Readers cross from segment to segment. One that is dropped is read to its end
// by those who read it already; who comes too late continues at the oldest
// message left, and Hooks.Gone says what each shard lacks.
//
// What cannot be read is skipped and reported to Hooks.Skipped and the log,
// with a [CorruptionError]: one message where its checksum is wrong, else all
// up to the next beacon. A position in a log that was recreated, cut off, or
// rewritten without its oldest messages is found again by its number, or
// reported to Hooks.Gone. A position file that is damaged is a [CursorError],
// at open.
//
// A log that is deleted, replaced, cut off or rewritten under a consumer, or to
// which its path does not lead any more because a symbolic link was switched,
// is [streamer.ErrNotFound], when what it had is delivered; with create=always
// the consumer continues where the path leads, from the beginning or, in a log
// in which its group has been, from where that is. Under a producer: it
// continues there, or makes a log, where create= lets it; a receipt says stored
// only if the path led to the record afterwards. A consumer that waits is
// notified within a second, one that reads at the end of what there was when it
// found out.
//
// # Durability
//
//	                            sync=none      sync=<interval>             sync=always
//	SIGKILL of the program      kept           kept                        kept
//	loss of power               what the       all but the last interval   kept
//	                            system wrote
//	groups, SIGKILL             committed positions are kept
//	groups, loss of power       as above       committed positions are kept
//
// "kept" is every record whose receipt said stored: with sync=always that is
// said when an fsync has covered it, of which all that wait share one, else
// when the system has it. A disk that is full takes the records that fit and
// refuses the others, [ErrFull], without a trace; sending works again when
// there is room. When an fsync fails, no process knows what is on the disk: the
// records that waited for it are [streamer.ErrUnknown], those after it
// [ErrDead], also on Close, until a producer is opened, which opens the log
// again and writes again what had not come to the disk. A read-only file system
// is [streamer.ErrDenied] for producers and groups.
//
// Opening a log for writing cuts off what a crash has left at its end: part of
// a message, an end of stream, an envelope without its message, zeros. It never
// cuts a whole message, and where bytes cannot be read that may hold messages
// it writes on behind the next beacon. With sync=none a loss of power may leave
// a group's position ahead of its log; then reading continues at the end and
// Hooks.Gone says so.
//
// # Limits
//
// One process writes a log at a time: a second one gets [streamer.ErrBusy];
// SeaStreamer's writers do not look at the lock. A record has [MaxRecordBytes]
// of key, value and headers. A log in one file grows up to limit=; of a
// directory old segments are dropped, as a whole, when a producer writes and
// retain_bytes=, retain_age= or retain= says so, and never the one that is
// written: one batch, up to 1 MiB (4 MiB with sync=always), is not spread over
// two. Admin.Delete is ErrUnsupported; Admin reads the whole log once, then
// what was added; opening one for writing reads the file, or the last segment.
// A consumer takes at least 128 KiB and up to 512 KiB beside what it has
// fetched, more while a message is larger. It has no goroutine of this package
// but, in a LoadBalanced group, one for each process and another while that
// gives shards up; a log that is followed has two, for all its consumers; a
// producer with sync=<interval> has one.
//
// A beacon has room for 127 shards at most. Of a log that has more, a group
// that is opened reads on from where it last knew all, to find those that have
// no position; the first Lag of a consumer reads what the consumer has not read
// yet, the next what was added since. Lag is [streamer.ErrNotFound] while the
// path leads to another log than is read.
//
// A consumer has one file open, in a group at most 34 more whatever the number
// of shards (where the system is not Linux: one for each shard). Without a
// descriptor for what it needs, a consumer or a producer that is open waits,
// says so to Hooks.Retrying and continues when there is one; opening one, and
// Admin, are [ErrDescriptors].
//
// # Native access
//
// None is needed: the log is a file, and a group's positions are text.
// [Inspect] opens a log for tools, whole or damaged. To move or copy a log take
// log.ss.groups along.
//
// docs/file-design.md describes how the package works inside.
package file
