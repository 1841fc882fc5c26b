// Package kafka reads and writes Apache Kafka, 3.0 and later, and what speaks
// its protocol: kafka://. A stream is a topic, a shard one of its partitions.
//
// # URI
//
//	kafka://[user[:password]@]host[:port][,host[:port]…]/topic[,topic…][?option=value…]
//
// The hosts are those to start from; the cluster names the others. The port is
// 9092 where none is given. [Connect] does the same from code.
//
// # Options
//
// Beside those that every backend knows:
//
//	tls=true                           TLS, trusting the system's authorities; default false, but true with one of the next three
//	tls_ca=file                        PEM certificates to trust instead
//	tls_cert=file tls_key=file         PEM certificate and key to show to the broker
//	sasl=plain|scram-sha-256|scram-sha-512|oauth
//	                                   default plain when there is a user; plain sends the password itself: use TLS
//	username=name                      the user, when it does not stand before the hosts
//	password_file=file                 the password, or the token of oauth; read at every authentication, so that it may change
//	compression=snappy|none|gzip|lz4|zstd
//	                                   of what is sent; default snappy
//	acks=all|leader|none               what a receipt waits for; default all, and only all stores a record once whatever is retried
//	isolation=committed|uncommitted    what is seen of transactions; default committed
//	instance_id=name                   static membership: see Delivery; one name per member
//	rack=name                          read from replicas in this rack, where the brokers have a replica selector
//	session_timeout=45s                a member that is not heard of for so long has lost its shards
//	balancers=cooperative-sticky       how members share shards, in order of preference: cooperative-sticky, sticky, range, roundrobin
//	shards=n replicas=n                of a topic that is created; default the broker's
//	client_id=streamer                 what the broker's logs and quotas call this program
//	create=auto|always|never|new       a topic that does not exist: ErrNotFound (auto and never), created by producers and consumers (always), by producers
//	                                   that then get ErrExists when it is there (new)
//
// Config.Opts takes what is not here, for every client that is made;
// Config.OAuth gives tokens from code.
//
// A group whose members are Java's, Sarama's or others' is joined with the
// balancer that they use: Java's default list is range, then
// cooperative-sticky, Sarama's is range. A list that has cooperative-sticky
// beside another one works as an eager group does until all members have that
// one alone.
//
// # Shards
//
// A record goes to the shard that it names, else to that of its key (murmur2,
// as Java's clients do, so that both agree), else to any: one shard for 64 KiB,
// then another, rather one that keeps up. Partitions that are added are noticed
// within 10 seconds and read from their beginning; from then on keys may go to
// another than before.
//
// # Ordering
//
// A sequence number is an offset ([streamer.SeqUint]). Offsets rise and have
// holes: markers of transactions, records that compaction removed. Time is the
// record's, in milliseconds from 1678 to 2262, except the last one before
// 1970, which says that there is none: another is [streamer.ErrUnsupported], as
// is one outside the window of the topic. A record of others that has no time,
// or one that cannot be represented, has the zero Time. A topic with
// message.timestamp.type=LogAppendTime has the broker's, which a receipt does
// not know and leaves zero. Times may be in any order: seeking finds the first
// record, by offset, that is not older.
//
// Retries keep the order of a shard. There is one exception, for a limit of the
// topic that was lowered while a producer was open: what is sent in the moment
// in which the broker refuses a batch may be stored before those of the batch
// that are sent again.
//
// # Delivery
//
// RealTime has no group: every shard is read from the end that it had before
// Consumer returned. Resumable has no members either, but commits its positions
// for the group. Kafka does not know of such an owner, so each commit carries a
// note beside the position that names it: a second owner takes over at once,
// and the first gets [streamer.ErrFenced] with its next commit, within 5
// seconds when there is nothing to commit. Between the look at the note and the
// commit another's commit can slip in. LoadBalanced is a member of a consumer
// group (the classic protocol). Acknowledged work is committed before a shard
// is given to another member; a member whose program is slow delays the others
// for at most 10 seconds. Consumer returns when the group has answered, which
// takes up to the broker's group.initial.rebalance.delay.ms (3 s) for the first
// member and as long as the slowest other member needs to give up its shards.
//
// With instance_id a member that closes does not leave: its shards wait for it,
// for session_timeout, and nothing reads them meanwhile.
//
// A topic that is deleted, or deleted and recreated, is noticed within 10
// seconds and stops the consumer with ErrNotFound; with create=always the
// consumer's other topics go on, reading goes on at the new one's beginning
// when it is there, and what was not committed of the old one counts as done. A
// batch that cannot be decoded is fetched three times, then passed over as one
// entry (Hooks.Skipped). Of one that is damaged on a broker's disk the header
// is not believed: reading goes on at the next batch whose checksum is right,
// with CORRUPT_MESSAGE as the cause, and what the broker cannot find behind the
// damage is fetched from before it. The transactions of others are respected;
// this package begins none.
//
// Commits carry the leader epoch. When a log gets shorter than what was read or
// committed, reading goes on where it parts from what it was, in every mode; a
// position without an epoch that lies beyond the end goes on at the oldest
// record. Both are reported to Hooks.Gone, and are [streamer.ErrPositionGone]
// with ResetError. A shard without a leader keeps no other from being read: it
// is reported to Hooks.Retrying and read when it has one.
//
// # Durability
//
//	                                   stored records (acks=all)          committed positions
//	SIGKILL of the program             kept                               kept
//	SIGKILL of a broker                kept                               kept
//	power loss of one broker           kept where a replica in sync is left; else what was not flushed is lost (log.flush.interval.messages)
//	fail-over to a replica in sync     kept (min.insync.replicas ≥ 2)     kept (offsets.topic.replication.factor ≥ 2)
//	unclean leader election, older     lost from where that log ends      may go back
//	disk of a broker
//	retention                          lost when it is due                lost 7 days after the last member, or owner, is gone (offsets.retention.minutes)
//
// Positions that do not move are committed again every hour while a Resumable
// consumer runs: its group has no members for whose sake a broker would keep
// them.
//
// # Limits
//
// A record has max.message.bytes of its topic less 128 in key, value and
// headers, and each header costs 10 more. That, the window that a record's time
// may lie in, and that a compacted topic wants keys are asked for when a
// producer opens, and what is beyond them is refused before it is sent. Where
// the broker refuses it later it refuses a batch as a whole; then the batch is
// sent again in parts until the record is alone that fails.
//
// DeliveryTimeout does not take back a record that a broker may have: it is
// held until its outcome is known. 512 MiB of these fill a producer, which then
// gets ErrThrottled. ErrUnknown may mean stored.
//
// A group's name is any text. Lag knows messages, not time. Resumable, and an
// operator's ResetGroup, cannot commit for a group that has members: ErrBusy.
//
// Each consumer and each producer has connections of its own to the brokers it
// needs. A consumer has the client's goroutines, about two per broker and six
// more, and one that watches its topics; a producer the client's. A consumer's
// client fetches ahead of BufferBytes, per broker one fetch that is being
// worked off and decompressed as a whole: as much again as BufferBytes, at most
// 1 MiB per shard and 50 MiB (kgo.FetchMaxPartitionBytes and kgo.FetchMaxBytes
// in Config.Opts). What is asked for is that, divided by how many times the
// latest fetches grew when they were decompressed, 8 before the first, and at
// least 16 KiB: data that begins to compress better than what was before
// exceeds the bound once, and brokers send a whole batch in any case.
//
// # Native access
//
// [Client] returns the [kgo.Client] behind a Streamer: for metadata and
// administration, it consumes and produces nothing.
package kafka
