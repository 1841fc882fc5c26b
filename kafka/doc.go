// Package kafka reads and writes Apache Kafka, 3.0 and later, and servers that
// speak its protocol: kafka://. A stream is a topic, and a shard is one of its
// partitions.
//
// # URI
//
//	kafka://[user[:password]@]host[:port][,host[:port]…]/topic[,topic…][?option=value…]
//
// The hosts are the seed brokers; the cluster names the others. The default
// port is 9092. [Connect] does the same from code.
//
// # Options
//
// In addition to those that every backend knows:
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
// Config.Opts passes other options to every client. Config.OAuth supplies
// tokens from code.
//
// To join a group with members of other clients, use their balancer: the
// default list of Java is range, then cooperative-sticky; Sarama's is range. A
// list that has cooperative-sticky and another one behaves like an eager group
// until all members list only cooperative-sticky.
//
// # Shards
//
// A record goes to the shard that it names, or else to that of its key
// (murmur2, as in Java's clients, so that both agree), or else to any: 64 KiB
// to one shard, then to another, preferably one that keeps up. Added partitions
// are noticed within 10 seconds and read from their beginning. From then on
// keys may belong to other shards than before.
//
// # Ordering
//
// A sequence number is an offset ([streamer.SeqUint]). Offsets rise and have
// gaps: transaction markers and records that compaction removed. Time is the
// record's, in milliseconds between the years 1678 and 2262. The last
// millisecond before 1970 means that a record has no time. Other times are
// [streamer.ErrUnsupported], as are times outside the window that the topic
// allows. A record of another client that has no time, or one that cannot be
// represented, has the zero Time. In a topic with
// message.timestamp.type=LogAppendTime, Time is the broker's; a receipt does
// not know it and leaves it zero. Times may be in any order: seeking finds the
// first record, by offset, that is not older.
//
// Retries keep the order of a shard, with one exception: if a limit of the
// topic is lowered while a producer is open, records that are sent at the
// moment when the broker refuses a batch may be stored before the parts of the
// batch that are sent again.
//
// # Delivery
//
// RealTime has no group: every shard is read from the end that it had before
// Consumer returned.
//
// Resumable has no members either, but commits its positions for the group.
// Kafka does not know such an owner, so each commit carries metadata that names
// it. A second owner takes over at once, and the first gets
// [streamer.ErrFenced] with its next commit, or within 5 seconds when there is
// nothing to commit. Another owner's commit can fall between reading the
// metadata and the commit.
//
// LoadBalanced is a member of a consumer group (the classic protocol).
// Acknowledged work is committed before a shard goes to another member; a slow
// program delays the others for at most 10 seconds. Consumer returns when the
// group has answered. For the first member that takes up to the broker's
// group.initial.rebalance.delay.ms (3 s), and otherwise as long as the slowest
// member needs to give up its shards.
//
// With instance_id a member that closes does not leave: its shards wait for it
// for session_timeout, and are not read meanwhile.
//
// A topic that is deleted, or deleted and recreated, is noticed within 10
// seconds and stops the consumer with ErrNotFound. With create=always the
// consumer's other topics continue, the new topic is read from its beginning
// when it exists, and what was not committed of the old one counts as done.
//
// A batch that cannot be decoded is fetched three times and then skipped as one
// entry (Hooks.Skipped). If a batch is damaged on the broker's disk, its header
// is not trusted: reading continues at the next batch with a valid checksum,
// with CORRUPT_MESSAGE as the cause. Batches behind the damage that the broker
// cannot find are fetched from before it.
//
// Transactions of other producers are respected; this package begins none.
//
// Commits carry the leader epoch. When a log becomes shorter than what was read
// or committed, reading continues where the log diverges, in every mode. A
// position without an epoch that lies beyond the end continues at the oldest
// record. Both are reported to Hooks.Gone, and are [streamer.ErrPositionGone]
// with ResetError. A shard without a leader does not keep others from being
// read: it is reported to Hooks.Retrying and read when it has one.
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
// consumer runs: its group has no members, for whose sake a broker would keep
// them.
//
// # Limits
//
// A record has at most max.message.bytes of its topic less 128 in key, value
// and headers, and each header costs 10 more. A producer asks for this limit,
// for the window of allowed times and for whether a compacted topic requires
// keys when it opens, and refuses records outside before sending them. A broker
// that refuses later refuses a whole batch; then the batch is sent again in
// parts until only the offending record fails.
//
// DeliveryTimeout does not take back a record that a broker may have: it is
// held until its outcome is known. With 512 MiB of such records a producer is
// full, and further ones get ErrThrottled. ErrUnknown may mean stored.
//
// A group's name is any text. Lag knows messages, not time. Resumable, and
// Admin.ResetGroup, cannot commit for a group that has members: ErrBusy.
//
// Each consumer and each producer has connections of its own to the brokers
// that it needs. A consumer has the goroutines of its client, about two per
// broker and six more, and one that watches its topics. A producer has those of
// its client.
//
// A consumer's client fetches ahead of BufferBytes: for each broker one fetch,
// which is decompressed as a whole. That is at most as much again as
// BufferBytes, 1 MiB per shard and 50 MiB (kgo.FetchMaxPartitionBytes and
// kgo.FetchMaxBytes in Config.Opts). A request asks for this amount divided by
// the growth of the latest fetches when they were decompressed: 8 before the
// first, and at least 16 KiB. Data that suddenly compresses better exceeds the
// bound once, and brokers send a whole batch in any case.
//
// # Native access
//
// [Client] returns the [kgo.Client] behind a Streamer. It is for metadata and
// administration; it consumes and produces nothing.
package kafka
