package redis

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A group's consumers are its register of who lives: the server keeps for each
// when it last heard of it. The owner of a Resumable group reads under the
// group's own name, as SeaStreamer does, and has a second consumer that holds
// nothing and says by existing that the place is taken. Nothing of this needs a
// key beside the stream's.

const (
	ownerPrefix = "streamer:owner:"
	// returned is a consumer that never reads: what it holds is there for
	// anything.
	returned = "streamer:returned"

	// leaseTime is how long an owner may be silent before its place is free.
	leaseTime = 14 * time.Second
	// beatEvery is how often an owner says that it lives.
	beatEvery = 5 * time.Second
	// memberTime is how long a member may be silent before it counts as gone.
	memberTime = 30 * time.Second
)

// nothing is read after by who wants to be heard and nothing else: no id is
// above it.
const beyondAll = "18446744073709551614-0"

// The scripts do one thing each that must not fall apart. Where a user may not
// run scripts the same is done command by command.
//
// Consumers are made by reading after nothing, which a server does when its
// memory is full, and not by XGROUP CREATECONSUMER, which it refuses then.
var (
	// 1: the place is ours; 0: another owner or member has it; -1: a member of
	// our name lives.
	occupyScript = redis.NewScript(`
local dead = {}
for _, c in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local owner = string.sub(c[2], 1, #ARGV[3]) == ARGV[3]
  if owner and c[6] >= tonumber(ARGV[5]) then
    dead[#dead + 1] = c[2]
  elseif owner and c[2] ~= ARGV[2] then
    return 0
  elseif not owner and ARGV[2] ~= '' and c[2] ~= ARGV[1] and c[2] ~= ARGV[4] and c[6] < tonumber(ARGV[6]) then
    return 0
  elseif c[2] == ARGV[7] and c[6] < tonumber(ARGV[8]) then
    return -1
  end
end
for _, name in ipairs(dead) do redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name) end
for _, name in ipairs({ARGV[2], ARGV[7]}) do
  if name ~= '' then redis.call('XREADGROUP', 'GROUP', ARGV[1], name, 'COUNT', 1, 'STREAMS', KEYS[1], ARGV[9]) end
end
return 1`)

	// -1: we are not the owner; 0: there is no group to own; 2: our place had
	// been removed, and is there again.
	beatScript = redis.NewScript(ownsLua + `
redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 1, 'STREAMS', KEYS[1], ARGV[5])
return ours and 1 or 2`)

	ackScript = redis.NewScript(ownsLua + `
return redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 5))`)

	// Deletes consumers that hold nothing: those named, and members that we
	// named and that are silent for long.
	reapScript = redis.NewScript(`
local all = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if all.err then return 0 end
for _, c in ipairs(all) do
  local ghost = string.find(c[2], '^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$')
  if c[4] == 0 and (c[2] == ARGV[2] or ghost and c[6] >= tonumber(ARGV[3])) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], c[2])
  end
end
return 1`)
)

// An owner whose consumer is missing was removed by a clean-up, unless another
// is there or it was silent for so long that another may have been.
const ownsLua = `
local all = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if all.err then
  if string.find(all.err, '^WRONGTYPE') then return all end
  return 0
end
local ours, other = false, ARGV[4] ~= 'heard'
for _, c in ipairs(all) do
  if c[2] == ARGV[2] then
    ours = true
  elseif string.sub(c[2], 1, #ARGV[3]) == ARGV[3] then
    other = true
  end
end
if not ours and other then return -1 end`

// occupant is who wants a place in a group: an owner by its lock, a member by
// its name, where others could have the same.
type occupant struct {
	lock, name string
	lease      time.Duration // how long a member of that name may be silent before the name is free
}

// occupancy is what became of it.
type occupancy int

const (
	sameName occupancy = iota - 1
	occupied
	free
)

// occupy takes a place in a group. Without a lock it also looks whether an
// owner is there.
func (b *backend) occupy(ctx context.Context, key, group string, by occupant) (occupancy, error) {
	n, err := occupyScript.Run(ctx, b.client, []string{key}, group, by.lock, ownerPrefix, returned,
		leaseTime.Milliseconds(), memberTime.Milliseconds(), by.name, by.lease.Milliseconds(), beyondAll).Int()
	if isNotPermitted(err) {
		return b.occupyPlainly(ctx, key, group, by.lock)
	}
	return occupancy(n), err
}

// occupyPlainly is occupy without a script. Of two that come at once both may
// find the place taken, never both find it free: each is seen before it looks.
// That members have one name is not seen.
func (b *backend) occupyPlainly(ctx context.Context, key, group, lock string) (occupancy, error) {
	if lock != "" {
		if err := b.greet(ctx, key, group, lock); err != nil {
			return occupied, err
		}
	}
	all, err := b.client.XInfoConsumers(ctx, key, group).Result()
	if err != nil {
		return occupied, err
	}
	for _, c := range all {
		switch owner := strings.HasPrefix(c.Name, ownerPrefix); {
		case owner && c.Idle >= leaseTime:
			b.client.XGroupDelConsumer(ctx, key, group, c.Name)
		case owner && c.Name != lock, !owner && lock != "" && c.Name != group && c.Name != returned && c.Idle < memberTime:
			if lock != "" {
				b.client.XGroupDelConsumer(ctx, key, group, lock)
			}
			return occupied, nil
		}
	}
	return free, nil
}

// tenure is whether an owner still is one.
type tenure int

const (
	lost     tenure = iota // another owner is there, or may have been
	kept                   // or the group is missing, which others do not own either
	restored               // the place had been removed, and is there again
)

// heardOf tells a script whether the server has heard of an owner
// lately enough for its place to be its own.
func heardOf(lately bool) string {
	if lately {
		return "heard"
	}
	return ""
}

// beat says that the owner lives. lately is whether the server has heard of it
// within leaseTime.
func (b *backend) beat(ctx context.Context, key, group, lock string, lately bool) (tenure, error) {
	n, err := beatScript.Run(ctx, b.client, []string{key}, group, lock, ownerPrefix, heardOf(lately), beyondAll).Int()
	switch {
	case isNotPermitted(err):
		t, err := b.owns(ctx, key, group, lock, lately)
		if t != lost && err == nil {
			err = b.greet(ctx, key, group, lock)
		}
		return t, err
	case n < 0:
		return lost, err
	case n > 1:
		return restored, err
	}
	return kept, err
}

// owns is beat without saying anything to the server.
func (b *backend) owns(ctx context.Context, key, group, lock string, lately bool) (tenure, error) {
	all, err := b.client.XInfoConsumers(ctx, key, group).Result()
	if isGone(err) || isMissingKey(err) {
		return kept, nil
	}
	other := false
	for _, c := range all {
		if c.Name == lock {
			return kept, err
		}
		other = other || strings.HasPrefix(c.Name, ownerPrefix)
	}
	if err != nil || other || !lately {
		return lost, err
	}
	return restored, nil
}

// greet has the server hear of a member.
func (b *backend) greet(ctx context.Context, key, group, name string) error {
	err := b.client.XReadGroup(ctx, &redis.XReadGroupArgs{Group: group, Consumer: name, Streams: []string{key, beyondAll}, Count: 1, Block: -1}).Err()
	if err == redis.Nil { //nolint:errorlint // go-redis returns it bare
		return nil
	}
	return err
}

// reap removes the consumers that were generated, hold nothing and are silent
// for long. It is tidiness: it may fail.
func (b *backend) reap(ctx context.Context, key, group string, silent time.Duration) {
	_ = reapScript.Run(ctx, b.client, []string{key}, group, returned, silent.Milliseconds()).Err()
}

// dismiss removes one consumer if it holds nothing, at once.
func (b *backend) dismiss(ctx context.Context, key, group, name string) error {
	err := reapScript.Run(ctx, b.client, []string{key}, group, name, time.Duration(1<<62).Milliseconds()).Err()
	if isNotPermitted(err) {
		return nil // without a script it could be given a message between looking and deleting
	}
	return err
}
