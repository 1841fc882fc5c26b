// Package redis is Redis Streams, and Valkey's: redis://, rediss:// and
// redis+unix://. It needs a server of version 7.0 or later, and shares streams
// and groups with SeaStreamer: what either writes the other reads.
//
// # URI
//
//	redis://[user:password@]host[:port]/stream[,stream…][?option=value…]
//	rediss://…                                             with TLS
//	redis://host:7000,host:7001,host:7002/stream           nodes of one cluster; one of them is enough
//	redis://host:26379,host:26380/stream?sentinel=master   the master that these sentinels watch
//	redis+unix:///run/redis/redis.sock/stream              the server on this unix socket
//
// Behind redis+unix:// the socket is the first on the path that is no
// directory, or, while it does not exist, the first whose name ends in .sock or
// .socket; what follows it are the streams. No host is localhost, no port 6379,
// or 26379 of a sentinel. A stream's name is the key, of any bytes that a key
// may have; a name that is only digits is refused, because others mean a
// database by it. A host that is a node of a cluster, as the one address is
// that services give, stands for the whole cluster: [Connect] asks it. Without
// a password in the URI or in password_file= that of REDISCLI_AUTH counts.
// [Connect] does the same from code.
//
// # Options
//
// Beside those that every backend knows:
//
//	db=0                           the database
//	username=, password_file=      the ACL user, and a file with the password in its first line
//	sentinel=<master>              the hosts are sentinels, which know the master by this name
//	tls_ca=, tls_cert=, tls_key=, tls_server_name=
//	                               PEM files with the authorities to trust, and with the client's certificate and key; the name in the server's certificate
//	shards=n|auto|none             keys per stream: see Shards; default one
//	create=auto|always|never|new   a stream that does not exist: auto, the default, has producers create it; always has consumers create it too, and go on, from
//	                               the beginning, when it vanishes and comes back
//	claim_idle=60s                 how long a load-balanced member is silent before others take what it holds. Members that live are never silent
//	claim_interval=5s              how often a member looks for what others left behind
//	block=5s                       how long one read waits at the server; in a group twice that
//	maxlen=, maxage=               producers trim each shard to about so many entries, or to those that are not older than about that; default never
//	time=id                        a record's Time becomes its entry's id; default the server's clock
//
// # Shards
//
// A stream is one key, shard 0. With shards=n it is the keys name:0 to
// name:n-1: a record goes to the shard that it names, else to that of its key
// (FNV-1a, 32 bits, modulo n), else to each in turn. With shards=auto the
// shards are the keys of that form that exist, and the plain key, as
// [PlainShard]; a consumer looks for the next numbers every 5 s and through all
// keys of the server every 30 s, and reads a new shard from its beginning.
// Without shards=, a stream whose key is missing while name:0 exists is
// [streamer.ErrInvalid]; shards=none does not look.
//
// # Ordering
//
// Sequence numbers are the entries' ids ([streamer.SeqPair]: milliseconds,
// count). Time is the id's milliseconds: the server's clock, or, with time=id,
// the record's Time, which must not be before that of the shard's newest entry
// ([streamer.ErrInvalid] on that receipt) nor before 1970
// ([streamer.ErrUnsupported]). An id that was chosen as no time has the time
// that its number means, and none where no time has that number. A message that
// another member held, or that is redelivered, is older than those before it.
//
// An entry has the fields msg, the value, then k, the key, and h, the headers,
// where there are any: h is their number, and for each the lengths of name and
// value before them, as uvarints. SeaStreamer reads msg and passes over the
// others; so do we over those that others add. An entry without msg, or whose h
// is something else, is passed over, reported to Hooks.Skipped, and
// acknowledged. A nil Value is [streamer.ErrUnsupported].
//
// # Delivery
//
// Every mode. RealTime is XREAD. A group is the server's: Resumable is a group
// of one, LoadBalanced XREADGROUP, where who asks first is served first and all
// members share every shard. Acknowledgements are XACK, message by message, in
// batches. AckOnDelivery acknowledges a fetch before it is handed out.
//
// A Resumable owner reads as the consumer that is named as the group, which is
// SeaStreamer's rule, and has a second consumer, streamer:owner:<uuid>, that
// says that the place is taken. It is free at once after Close, and at most 14
// s after the process has died. An owner that was silent for that long, and
// finds another in its place, gets [streamer.ErrFenced]. Ours sees no owner of
// SeaStreamer's, nor it ours.
//
// A LoadBalanced member that closes makes what it had not acknowledged the
// consumer streamer:returned's, which never reads: others take it within
// claim_interval, and who opens takes it before anything new. Its own consumer
// goes with it. What a killed member held others take within claim_idle and
// claim_interval. While a program lives what it holds is kept for it, however
// long it takes. Members that were killed leave a consumer behind; it is
// removed when it holds nothing, if its name is a UUID, as those are that we
// choose. A name= is one member's: the second that opens with it gets
// [streamer.ErrBusy], until the first has closed or was silent for claim_idle,
// 14 s at most.
//
// Entries that were deleted while they were pending are acknowledged. A group
// that vanishes while its stream lives is recreated after the last message up
// to which everything was acknowledged, and reported to Hooks.Retrying; where
// members share messages, some may be redelivered then. A stream that vanishes
// is [streamer.ErrNotFound]; who reads in RealTime notices within three times
// block=.
//
// What a server refuses because of its state, which ends without the program's
// doing (MISCONF, OOM, LOADING, READONLY and the like), is retried: by
// consumers for ever, for records until delivery_timeout, then it is
// [streamer.ErrThrottled].
//
// Connections are made again after 50 ms, doubling to 2 s, for ever. A command
// is never sent twice, except by a producer, knowingly: where a connection
// broke before the answer came, the records are sent again, in order, and may
// be stored twice. A receipt that fails then says [streamer.ErrUnknown].
//
// # Durability
//
//	                            stored records                        acknowledgements
//	SIGKILL of the program      kept                                  kept when committed
//	SIGKILL of the server       kept with appendonly=yes; else those of the last snapshot
//	loss of power               kept with appendfsync=always; with everysec all but about the last second
//	fail-over to a replica      lost: what the replica had not got; replication does not wait
//
// A message whose acknowledgement was lost is redelivered; an entry that a
// fail-over lost exists nowhere. A trimmed message is gone for every group,
// read or not.
//
// # Limits
//
// A reply, and what is sent, may take as long as the link needs, as long as no
// 5 s pass without a byte. A reply is meant to have 4 MiB and to take a second;
// one that is lost is asked for smaller, down to one entry. Asking for
// positions fetches no entry, if the user may EVAL_RO.
//
// A record has [MaxRecordBytes] of key, value and headers, and what
// proto-max-bulk-len of the server allows. Nothing is removed but by maxlen=,
// maxage= and others: acknowledged messages stay. A pending message costs the
// server 30 to 90 bytes. A cluster has database 0 alone.
//
// A consumer has a connection for each server that it reads from, and in a
// group a goroutine; in a cluster, a connection for each shard, and while it
// waits a goroutine for each. A read that is under way is one more goroutine. A
// producer of a single server has one, too. Several streams and shards on one
// server are one read. Interrupting a blocked read takes CLIENT UNBLOCK, owning
// a group EVALSHA: a user who may not is served all the same, by closing the
// connection, and by commands that look before they act; what stays then is an
// empty consumer for each member that closed. A user who may not SCAN has
// shards=auto look at numbers up to a gap.
//
// # Native access
//
// [Client] is the go-redis client behind a Streamer; Config.Client brings one.
// go-redis has one logger for the whole process, which this package sends to
// [slog.Default] at level Debug: go-redis's SetLogger takes another.
package redis
