// Package file is a log in one file, or in a directory of segments: file://. A
// file has SeaStreamer's .ss format, byte for byte: each reads what the other
// writes. Any number of streams share a log. Any number of processes read it,
// and one writes it.
//
// # URI
//
//	file:///dir/log.ss/stream[,stream…][?option=value…]    absolute
//	file://./dir/log.ss/stream, file://log.ss/stream       relative to the working directory
//	file:///dir/log/stream[?segment=64MiB…]                a directory of segments: one that has some, or with segment= to make it one
//
// The log is the path's last element, or the last but one, that ends in ".ss".
// A path that ends with the log names no stream. "*" is every stream of the
// log, including later ones. A stream's name has 1 to 249 of A-Z a-z 0-9 . _ -
// and does not start with SEA_STREAMER_. All spellings of a path are one log,
// hard links included, as long as they lead to it. The path may come to lead to
// another log; each consumer and producer follows the path that it was given.
// Members of a group in one process that name the log by different paths are
// like members in different processes. [Connect] does the same from code.
//
// # Options
//
// In addition to those that every backend knows:
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
// A record goes to the shard that it names, which may be any, or else to that
// of its key (FNV-1a, 32 bits, modulo shards=), or else to each of shards= in
// turn. A shard exists when it has a message, when Admin.Create created the
// stream with it, or when the reader's shards= says so. A shard that appears
// later is read from its beginning. A stream comes into being with its first
// message or with Admin.Create, which records it in the log. For a consumer a
// stream without messages is empty, not missing.
//
// # Ordering
//
// The sequence numbers of a stream's shard count from 1 ([streamer.SeqUint]),
// without gaps, and continue when the log is opened again. SeaStreamer's
// low-level writers may start at 0. Time is the record's, or else the time of
// storing, in milliseconds between the years 1970 and 9999; other times are
// [streamer.ErrUnsupported]. Times that senders choose may be in any order:
// seeking finds, in each shard, the first message by sequence number that is
// late enough, and delivers what follows whatever its time. In the part of a
// log that SeaStreamer wrote, seeking by time reads from the beginning.
//
// Key, headers and a nil value, which the format cannot hold, travel in a
// frame of SeaStreamer's internal stream just before the message; its readers
// skip that and see the value untouched. docs/file-format.md has the
// bytes.
//
// Members of a group in one process share a shard. Messages that a slow or
// leaving member gives up go to another, which may have taken later messages of
// the shard. Messages of one key stay in order; those without a key need not.
//
// # Delivery
//
// Every mode is supported. A consumer opens the file for itself and reads it
// once, front to back, whatever its streams and shards. It skips a shard whose
// window is full; when the shard has room, the consumer goes back for its
// messages and then returns to where it was. At the end of the log it waits.
// Writers of the same process and the file system's notifications wake it.
// Because notifications may fail, it also looks every second, or at least every
// 250 ms where there are none. An end of stream that is the last thing in the
// log is io.EOF, with follow=true too. One that is followed by messages is
// skipped.
//
// A group's positions are in log.ss.groups/<group>/, one text file per shard,
// replaced atomically. Resumable and LoadBalanced hold a kernel lock on each
// shard that they read. The lock is released by Close and by the end of the
// process, however it ends. In Resumable a second owner, in this process or
// another, gets [streamer.ErrBusy].
//
// Processes with members of one LoadBalanced group divide its shards evenly: no
// process has two more than another. A process without a shard stands by. A
// process that joins gets its share when the others have finished the messages
// that they hold of it, or after 5 s. The shards of a dead process are taken
// over within 0.2 s, or ten times as long as it takes to list the group's
// directory, and continue at the first uncommitted message. All processes read
// the same streams. Inside a process messages are dealt to the members: by key
// where there is one, or else in turn. With follow=false a process ends when
// the whole log was read, each shard has an owner and it has read its share.
// Others read its uncommitted messages when it has closed.
//
// Readers continue from segment to segment. A segment that is dropped is read
// to its end by its current readers. Later readers continue at the oldest
// message left, and Hooks.Gone says what each shard lacks.
//
// Unreadable bytes are skipped and reported to Hooks.Skipped and the log, with
// a [CorruptionError]: one message if only its checksum is wrong, otherwise
// everything up to the next beacon. A position in a log that was recreated,
// truncated, or rewritten without its oldest messages is found again by its
// number, or reported to Hooks.Gone. A damaged position file is a [CursorError]
// at open.
//
// A log that is deleted, replaced, truncated or rewritten under a consumer, or
// to which its path no longer leads because a symbolic link was switched, is
// [streamer.ErrNotFound] when everything read from it was delivered. With
// create=always the consumer continues where the path leads, from the beginning
// or, in a log in which its group has a position, from there. A producer
// continues there too, or creates a log if create= allows it; a receipt says
// stored only if the path led to the record afterwards. A waiting consumer
// notices within a second, and one that reads notices at the end of what there
// was.
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
// "kept" means every record whose receipt said stored. With sync=always a
// receipt waits for an fsync, which all waiting records share; otherwise for
// the system. A full disk takes the records that fit and refuses the others
// with [ErrFull], without a trace. Sending works again when there is room. When
// an fsync fails, the contents of the disk are unknown: the records that waited
// for it are [streamer.ErrUnknown], and later ones [ErrDead], also on Close,
// until a producer is opened, which opens the log again and rewrites what did
// not reach the disk. A read-only file system is [streamer.ErrDenied] for
// producers and groups.
//
// Opening a log for writing removes what a crash has left at its end: part of a
// message, an end of stream, an envelope without its message, zeros. It never
// removes a whole message. Where unreadable bytes may hold messages, it writes
// behind the next beacon. With sync=none a loss of power may leave a group's
// position ahead of its log. Then reading continues at the end, and Hooks.Gone
// says so.
//
// # Limits
//
// One process writes a log at a time; a second one gets [streamer.ErrBusy].
// SeaStreamer's writers ignore the lock. A record has at most [MaxRecordBytes]
// of key, value and headers. A log in one file grows up to limit=. In a
// directory old segments are dropped as a whole, when a producer writes and
// retain_bytes=, retain_age= or retain= says so, but never the one that is
// written: one batch, up to 1 MiB (4 MiB with sync=always), is not spread over
// two. Admin.Delete is ErrUnsupported. Admin reads the whole log once, then
// what was appended. Opening a log for writing reads the file, or the last
// segment.
//
// A consumer takes between 128 KiB and 512 KiB in addition to what it has
// fetched, or more while a message is larger. It has no goroutine of this
// package, except in a LoadBalanced group one for each process and another
// while that gives up shards. A followed log has two for all its consumers. A
// producer with sync=<interval> has one.
//
// A beacon has room for 127 shards. In a log with more, a group that opens
// reads from where it last knew all shards, to find those without a position.
// The first Lag of a consumer reads what the consumer has not read yet, later
// ones what was appended since. Lag is [streamer.ErrNotFound] while the path
// leads to another log than the one that is read.
//
// A consumer has one open file, and in a group at most 34 more whatever the
// number of shards (on systems other than Linux one for each shard). Without a
// free descriptor an open consumer or producer waits, reports it to
// Hooks.Retrying and continues when there is one. Opening one, and Admin, are
// [ErrDescriptors].
//
// # Native access
//
// None is needed: the log is a file, and a group's positions are text.
// [Inspect] opens a log for tools, whole or damaged. To move or copy a log,
// take log.ss.groups along.
//
// docs/file-design.md describes how the package works inside.
package file
