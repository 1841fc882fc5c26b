// Package memory is a log inside the process: memory://. It is for tests of
// programs that use streamer, which then need no server and can have every
// fault of one, and for passing messages between the parts of one program.
//
// # URI
//
//	memory://name/stream[,stream…][?option=value…]
//
// The host is the log's name. The same name is the same log for every Streamer
// of the process, as long as the process lives or until [Drop]. A name may be
// empty. Streams have any name but the empty one. [Connect] does the same from
// code.
//
// # Options
//
// Beside those that every backend knows:
//
//	shards=n                       shards of a stream that is created, 1 to 65536; default 1
//	acks=cursor|message            what a group's progress is: a position per shard, or a state per message; default cursor
//	groups=native|dealt            who shares out the messages of a load-balanced group: the log, or the Streamer; default native
//	create=auto|always|never|new   a stream that does not exist: auto, the default, has producers create it
//
// acks and groups are there to be switched: with acks=cursor a program meets
// what Kafka would do, with acks=message what Redis Streams would, with
// groups=dealt what a file would. All members of a group must agree on acks.
//
// # Shards
//
// A record goes to the shard that it names, else to that of its key (FNV-1a, 32
// bits, modulo the number of shards), else to each shard in turn. A stream
// keeps its shards; [Log.AddShard] adds one, and from then on keys may go to
// another than before.
//
// # Ordering
//
// The sequence numbers of a shard count from 0 ([streamer.SeqUint]). They have
// gaps only where a fault made one. Time is the record's, else the moment of
// storing; in nanoseconds. Times that senders choose may be in any order:
// seeking finds the first message, by sequence number, that is late enough.
//
// Members of a group in one process share a shard. What a slow or a leaving
// member gives up goes to another, which may have taken later messages of the
// shard: a key's are in order, those without a key need not be.
//
// # Delivery
//
// Every mode. RealTime reads without a group. Resumable has one reader per
// group and shard; a second one gets [streamer.ErrBusy]. LoadBalanced, with
// groups=native, is the log's own work: with acks=cursor each shard has one
// owner, so that a key stays with one member, and a member that joins or leaves
// moves as few shards as possible; with acks=message all members share every
// shard, who asks first is served first, and what a member had and did not
// acknowledge goes to the others when it closes. With groups=dealt the members
// share one source inside the Streamer. All places of a group are free the
// moment their owner closes.
//
// What one consumer is given is shared with the log and with every other
// consumer: it is read-only, as everywhere.
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
// A record has [MaxRecordBytes] of key, value and headers, a stream
// [MaxShards]. Nothing is ever deleted but by [Log.Trim] and Admin: a stream
// takes the memory of all its records and about 100 bytes for each. An idle
// shard takes about 100 bytes, and as much again for each consumer and each
// group. A consumer has no goroutine of this package; while its shards change
// it has one.
//
// # Native access
//
// [Open] returns the [Log] behind a name.
//
// # Faults
//
// The methods of [Log] are what can happen to a server. [Log.Inject] disturbs
// calls: which of them, how many, and how is a [Fault], whose fields can be
// combined freely. [Log.Disconnect] and [Log.Wedge] are the two that every
// program should live through.
//
//	Fault{On: Write, Times: 3, Err: errDisk}                             the next three records fail
//	Fault{On: Write, Record: isPoison, Err: streamer.ErrTooLarge}        these records fail, their neighbours are stored
//	Fault{On: Write, Times: 1, Err: streamer.ErrUnknown, Stored: true}   a record is stored and its sender can't know
//	Fault{On: Commit, Err: errNet, Transient: true}                      commits fail and are retried until the fault is cleared
//	Fault{On: Fetch, Stream: "orders", Delay: time.Second}               reading orders is slow
//	Fault{On: Commit, Times: 1, Lost: true}                              a commit is reported as durable and is not
//	Fault{Err: streamer.ErrDenied}                                       everything is denied
//
// The others change the log itself: [Log.AddShard], [Log.Trim],
// [Log.AppendUndecodable]; and who reads it: [Log.Revoke], [Log.Lose],
// [Log.Expel], [Log.Forget]. A stream is deleted, under readers and writers
// too, by Admin. Each has happened when its method returns: nothing has to be
// waited for. AddShard, Revoke, Lose and Expel wait until the consumers know,
// so a Hook must not call them.
package memory
