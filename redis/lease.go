package redis

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A group's consumers are its register of who lives: the server keeps for each when it last heard of it. The owner of a Resumable group reads under
// the group's own name, as SeaStreamer does, and has a second consumer that holds nothing and says by existing that the place is taken. Nothing of
// this needs a key beside the stream's.

const (
	ownerPrefix = "streamer:owner:"
	// returned is a consumer that never reads: what it holds is there for anybody.
	returned = "streamer:returned"

	// leaseTime is how long an owner may be silent before its place is free.
	leaseTime = 14 * time.Second
	// beatEvery is how often an owner says that it lives.
	beatEvery = 5 * time.Second
	// memberTime is how long a member may be silent before it counts as gone.
	memberTime = 30 * time.Second
)

// nobody is read after by who wants to be heard and nothing else: no id is above it.
const nobody = "18446744073709551614-0"

// The scripts do one thing each that must not fall apart. Where a user may not run scripts the same is done command by command.
var (
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
  end
end
for _, name in ipairs(dead) do redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name) end
if ARGV[2] ~= '' then redis.call('XGROUP', 'CREATECONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
return 1`)

	// -1: we are not the owner; 0: there is no group to own.
	beatScript = redis.NewScript(ownsLua + `
redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', 1, 'STREAMS', KEYS[1], ARGV[3])
return 1`)

	ackScript = redis.NewScript(ownsLua + `
return redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 3))`)

	// Deletes consumers that hold nothing: those named, and members that we named and that are silent for long.
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

const ownsLua = `
local all = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if all.err then
  if string.find(all.err, '^WRONGTYPE') then return all end
  return 0
end
local ours = false
for _, c in ipairs(all) do ours = ours or c[2] == ARGV[2] end
if not ours then return -1 end`

// occupy makes lock the owner's place in a group; free is false while somebody else is in it. With lock "" it only looks whether an owner is.
func (b *backend) occupy(ctx context.Context, key, group, lock string) (free bool, err error) {
	n, err := occupyScript.Run(ctx, b.client, []string{key}, group, lock, ownerPrefix, returned,
		leaseTime.Milliseconds(), memberTime.Milliseconds()).Int()
	if isNotPermitted(err) {
		return b.occupyPlainly(ctx, key, group, lock)
	}
	return n == 1, err
}

// occupyPlainly is occupy without a script. Of two that come at once both may find the place taken, never both find it free: each
// is seen before it looks.
func (b *backend) occupyPlainly(ctx context.Context, key, group, lock string) (bool, error) {
	if lock != "" {
		if err := b.client.XGroupCreateConsumer(ctx, key, group, lock).Err(); err != nil {
			return false, err
		}
	}
	all, err := b.client.XInfoConsumers(ctx, key, group).Result()
	if err != nil {
		return false, err
	}
	for _, c := range all {
		switch owner := strings.HasPrefix(c.Name, ownerPrefix); {
		case owner && c.Idle >= leaseTime:
			b.client.XGroupDelConsumer(ctx, key, group, c.Name)
		case owner && c.Name != lock, !owner && lock != "" && c.Name != group && c.Name != returned && c.Idle < memberTime:
			if lock != "" {
				b.client.XGroupDelConsumer(ctx, key, group, lock)
			}
			return false, nil
		}
	}
	return true, nil
}

// beat says that the owner lives.
func (b *backend) beat(ctx context.Context, key, group, lock string) (ours bool, err error) {
	n, err := beatScript.Run(ctx, b.client, []string{key}, group, lock, nobody).Int()
	if !isNotPermitted(err) {
		return n >= 0, err
	}
	if ours, err = b.owns(ctx, key, group, lock); ours && err == nil {
		err = b.greet(ctx, key, group, lock)
	}
	return ours, err
}

// owns says whether lock is in the owner's place. Where the group is missing nobody else is.
func (b *backend) owns(ctx context.Context, key, group, lock string) (bool, error) {
	all, err := b.client.XInfoConsumers(ctx, key, group).Result()
	if isGone(err) || isMissingKey(err) {
		return true, nil
	}
	for _, c := range all {
		if c.Name == lock {
			return true, err
		}
	}
	return false, err
}

// greet has the server hear of a member.
func (b *backend) greet(ctx context.Context, key, group, name string) error {
	err := b.client.XReadGroup(ctx, &redis.XReadGroupArgs{Group: group, Consumer: name, Streams: []string{key, nobody}, Count: 1, Block: -1}).Err()
	if err == redis.Nil { //nolint:errorlint // go-redis returns it bare
		return nil
	}
	return err
}

// reap removes the consumers that were generated, hold nothing and are silent for long. It is tidiness: it may fail.
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
