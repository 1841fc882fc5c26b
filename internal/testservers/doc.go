// Package testservers starts the servers that tests of the backends talk to: on
// loopback, on free ports, in temporary directories.
//
// A program is looked for in PATH, then in the cache that `make test` fills
// (see the command install beside this package). Nothing is ever installed by a
// test. Where a program is missing, the functions log what is left out and
// return a zero value, and the test returns as well:
//
//	addr := testservers.Redis(t)
//	if addr == "" {
//		return
//	}
//
// With STREAMER_SERVERS=required, as in `make test`, a missing program fails
// the test instead.
//
// STREAMER_REDIS, STREAMER_REDIS_CLUSTER (addresses separated by commas) and
// STREAMER_KAFKA make [Redis], [RedisCluster] and [Kafka] use servers that run
// already. Tests that kill, restart or reconfigure a server always start their
// own.
//
// Every package that uses a shared server hands its tests to [Main], which
// stops it at the end. On Linux the servers also end when the test process is
// killed.
package testservers
