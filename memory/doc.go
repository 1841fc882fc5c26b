// Package memory is a log inside the process: memory://. It is for tests of
// programs that use streamer, which then need no server and can meet every
// fault of one, and for passing messages between parts of one program.
//
// # URI
//
//	memory://name/stream[,stream…][?option=value…]
//
// The host is the log's name. A name means the same log for every Streamer of
// the process, until the process ends or [Drop] is called. It may be empty. A
// stream's name may be anything but empty. [Connect] does the same from code.
//
// # Options
//
// In addition to those that every backend knows:
//
//	shards=n                       shards of a stream that is created, 1 to 65536; default 1
//	acks=cursor|message            what a group's progress is: a position per shard, or a state per message; default cursor
//	groups=native|dealt            who shares out the messages of a load-balanced group: the log, or the Streamer; default native
//	create=auto|always|never|new   a stream that does not exist: auto, the default, has producers create it
//
// acks and groups exist to be switched. With acks=cursor a program meets the
// behaviour of Kafka, with acks=message that of Redis Streams, with
// groups=dealt that of a file. All members of a group must agree on acks.
//
// # Shards
//
// A record goes to the shard that it names, or else to that of its key (FNV-1a,
// 32 bits, modulo the number of shards), or else to each shard in turn. A
// stream keeps its shards. [Log.AddShard] adds one; from then on keys may
// belong to other shards than before.
//
// # Ordering
//
// The sequence numbers of a shard count from 0 ([streamer.SeqUint]). They have
// gaps only where a fault made one. Time is the record's, or else the time of
// storing, in nanoseconds. Times that senders choose may be in any order:
// seeking finds the first message, by sequence number, that is late enough.
//
// Members of a group in one process share a shard. Messages that a slow or
// leaving member gives up go to another, which may have taken later messages of
// the shard. Messages of one key stay in order; those without a key need not.
//
// # Delivery
//
// Every mode is supported. RealTime reads without a group. Resumable has one
// reader per group and shard; a second one gets [streamer.ErrBusy].
// LoadBalanced with groups=native is done by the log. With acks=cursor each
// shard has one owner, so that a key stays with one member, and a member that
// joins or leaves moves as few shards as possible. With acks=message all
// members share every shard, the first to ask is served first, and the
// unacknowledged messages of a member go to the others when it closes. With
// groups=dealt the members share one source inside the Streamer. When an owner
// closes, its shards are free at once.
//
// A message is shared with the log and with every other consumer: it is
// read-only, as everywhere.
//
// # Durability
//
//	                         stored records    committed positions
//	Streamer closed          kept              kept
//	Drop                     kept for those who have the log open, lost for others
//	end of the process       lost              lost
//	SIGKILL, power loss      lost              lost
//
// # Limits
//
// A record has at most [MaxRecordBytes] of key, value and headers, a stream at
// most [MaxShards]. Only [Log.Trim] and Admin delete anything: a stream takes
// the memory of all its records and about 100 bytes for each. An idle shard
// takes about 100 bytes, and as much again for each consumer and each group. A
// consumer has no goroutine of this package, except one while its shards
// change.
//
// # Native access
//
// [Open] returns the [Log] behind a name.
//
// # Faults
//
// The methods of [Log] are the faults of a server. [Log.Inject] disturbs calls:
// a [Fault] says which of them, how many, and how, and its fields combine
// freely. [Log.Disconnect] and [Log.Wedge] are the two that every program
// should survive.
//
//	Fault{On: Write, Times: 3, Err: errDisk}                             the next three records fail
//	Fault{On: Write, Record: isPoison, Err: streamer.ErrTooLarge}        these records fail, their neighbours are stored
//	Fault{On: Write, Times: 1, Err: streamer.ErrUnknown, Stored: true}   a record is stored and its sender can't know
//	Fault{On: Commit, Err: errNet, Transient: true}                      commits fail and are retried until the fault is cleared
//	Fault{On: Fetch, Stream: "orders", Delay: time.Second}               reading orders is slow
//	Fault{On: Commit, Times: 1, Lost: true}                              a commit is reported as durable and is not
//	Fault{Err: streamer.ErrDenied}                                       everything is denied
//
// The others change the log itself ([Log.AddShard], [Log.Trim],
// [Log.AppendUndecodable]) and its readers ([Log.Revoke], [Log.Lose],
// [Log.Expel], [Log.Forget]). Admin deletes a stream, also while it is in use.
// Each change is complete when its method returns. AddShard, Revoke, Lose and
// Expel wait until the consumers know, so a hook must not call them.
package memory
