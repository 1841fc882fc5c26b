// Package redis reads and writes Redis Streams, and those of Valkey: redis://,
// rediss:// and redis+unix://. It needs a server of version 7.0 or later. It
// shares streams and groups with SeaStreamer: each reads what the other writes.
//
// # URI
//
//	redis://[user:password@]host[:port]/stream[,stream…][?option=value…]
//	rediss://…                                             with TLS
//	redis://host:7000,host:7001,host:7002/stream           nodes of one cluster; one of them is enough
//	redis://host:26379,host:26380/stream?sentinel=master   the master that these sentinels watch
//	redis+unix:///run/redis/redis.sock/stream              the server on this unix socket
//
// In a redis+unix:// URI the socket is the first element of the path that is
// not a directory or, while it does not exist, the first whose name ends in
// .sock or .socket. The streams follow it. The default host is localhost, the
// default port 6379, or 26379 of a sentinel. A stream's name is the key and may
// have any bytes. A name of only digits is refused, because other clients take
// it for a database. If a host is a node of a cluster, it stands for the whole
// cluster, like the single address that cloud services give: [Connect] asks it.
// Without a password in the URI or in password_file=, REDISCLI_AUTH applies.
// [Connect] does the same from code.
//
// # Options
//
// In addition to those that every backend knows:
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
// name:n-1. A record goes to the shard that it names, or else to that of its
// key (FNV-1a, 32 bits, modulo n), or else to each in turn. With shards=auto
// the shards are the existing keys of that form and the plain key, as
// [PlainShard]. A consumer looks for the next numbers every 5 s and through all
// keys of the server every 30 s, and reads a new shard from its beginning.
// Without shards=, a stream whose key is missing while name:0 exists is
// [streamer.ErrInvalid]; shards=none does not check.
//
// # Ordering
//
// Sequence numbers are the ids of entries ([streamer.SeqPair]: milliseconds,
// count). Time is the id's milliseconds: the server's clock or, with time=id,
// the record's Time, which must not be before the newest entry of the shard
// ([streamer.ErrInvalid] on that receipt) nor before 1970
// ([streamer.ErrUnsupported]). An id that another client chose freely has the
// time of its number, or none if no time has that number. A message that
// another member held, or that is redelivered, is older than those before it.
//
// An entry has the fields msg (the value), then k (the key) and h (the headers)
// where there are any. h is the number of headers and, for each, the lengths of
// name and value before them, as uvarints. SeaStreamer reads msg and ignores
// other fields; so does this package. An entry without msg, or with another
// kind of h, is skipped, reported to Hooks.Skipped and acknowledged. A nil
// Value is [streamer.ErrUnsupported].
//
// # Delivery
//
// Every mode is supported. RealTime uses XREAD. Groups are the server's:
// Resumable is a group of one, and LoadBalanced uses XREADGROUP, where the
// first to ask is served first and all members share every shard.
// Acknowledgements are XACK, message by message, in batches. AckOnDelivery
// acknowledges a fetch before it is handed out.
//
// A Resumable owner reads as the consumer that has the group's name, as
// SeaStreamer does, and has a second consumer, streamer:owner:<uuid>, which
// marks the place as taken. The place is free at once after Close, and at most
// 14 s after the process has died. An owner that was silent for that long and
// finds another in its place gets [streamer.ErrFenced]. An owner of this
// package and one of SeaStreamer's do not see each other.
//
// A LoadBalanced member that closes transfers its unacknowledged messages to
// the consumer streamer:returned, which never reads, and deletes its own
// consumer. Other members take them within claim_interval; a member that opens
// takes them before new messages. The messages of a killed member are taken
// within claim_idle and claim_interval. While a program runs, its messages are
// kept for it, however long it takes. A killed member leaves a consumer behind.
// It is deleted when it holds nothing, if its name is a UUID, as names are that
// this package chooses. A name= belongs to one member: a second one that opens
// with it gets [streamer.ErrBusy] until the first has closed or was silent for
// claim_idle, at most 14 s.
//
// Entries that were deleted while they were pending are acknowledged. If a
// group vanishes while its stream exists, it is recreated after the last
// message up to which everything was acknowledged, and reported to
// Hooks.Retrying. Where members share messages, some may be redelivered then. A
// stream that vanishes is [streamer.ErrNotFound]; a RealTime consumer notices
// within three times block=.
//
// A refusal that is due to the server's state and ends without the program's
// doing (MISCONF, OOM, LOADING, READONLY and similar) is retried: by consumers
// without limit, for records until delivery_timeout, when it becomes
// [streamer.ErrThrottled].
//
// Connections are restored after 50 ms, doubling to 2 s, without limit. A
// command is never sent twice, with one exception: if a producer's connection
// breaks before the answer, it sends the records again, in order, and they may
// be stored twice. A receipt that then fails is [streamer.ErrUnknown].
//
// # Durability
//
//	                            stored records                        acknowledgements
//	SIGKILL of the program      kept                                  kept when committed
//	SIGKILL of the server       kept with appendonly=yes; else those of the last snapshot
//	loss of power               kept with appendfsync=always; with everysec all but about the last second
//	fail-over to a replica      lost: what the replica had not got; replication does not wait
//
// A message whose acknowledgement was lost is redelivered. An entry that was
// lost in a fail-over exists nowhere. A trimmed message is gone for every
// group, read or not.
//
// # Limits
//
// A reply or a request may take as long as the link needs, provided that no 5 s
// pass without a byte. A reply should have 4 MiB and take a second. After a
// lost reply less is requested, down to one entry. Asking for positions fetches
// no entry if the user may call EVAL_RO.
//
// A record has at most [MaxRecordBytes] of key, value and headers, and what the
// server's proto-max-bulk-len allows. Only maxlen=, maxage= and other clients
// remove entries: acknowledged messages stay. A pending message costs the
// server 30 to 90 bytes. A cluster has only database 0.
//
// A consumer has a connection for each server that it reads from and, in a
// group, a goroutine. In a cluster it has a connection for each shard and,
// while it waits, a goroutine for each. A read under way is one more goroutine.
// A producer of a single server has one goroutine. Several streams and shards
// on one server are one read.
//
// Interrupting a blocked read takes CLIENT UNBLOCK, and owning a group takes
// EVALSHA. A user without these rights is served by closing the connection and
// by commands that check before they act; then each member that closes leaves
// an empty consumer behind. For a user who may not SCAN, shards=auto looks at
// numbers up to a gap.
//
// # Native access
//
// [Client] is the go-redis client behind a Streamer. Config.Client supplies
// one. go-redis has one logger for the whole process, which this package sends
// to [slog.Default] at level Debug. The SetLogger of go-redis replaces it.
package redis
