package redis

import (
	"cmp"
	"context"

	"github.com/redis/go-redis/v9"
)

// XINFO STREAM answers with the first and the last entry whole, and XRANGE has
// no form without values. Entries may be large and the link slow, so positions
// are asked for by scripts, which leave the values at the server. They only
// read: a server runs them while it refuses writes.

// state is what the server says of a key.
type state struct {
	exists bool
	length int64 // entries there are
	added  int64 // entries there ever were
	top    id    // every entry to come is above it
	oldest id    // where there is an entry
	newest id    // where there is an entry
}

// last is the id that every entry to come is above.
func (s *state) last() id { return s.top }

// first is the oldest entry's id; ok is false where there is none.
func (s *state) first() (i id, ok bool) { return s.oldest, s.length > 0 }

func infoID(s string) id {
	i, _ := parseID([]byte(s))
	return i
}

// stateScript is XINFO STREAM without the values.
var stateScript = redis.NewScript(`
local all = redis.pcall('XINFO', 'STREAM', KEYS[1])
if all.err then return all end
local of = {}
for i = 1, #all, 2 do of[all[i]] = all[i + 1] end
local first, last = of['first-entry'], of['last-entry']
return {of['length'], of['entries-added'] or 0, of['last-generated-id'], first and first[1] or '', last and last[1] or ''}`)

// inspect asks about keys in one round trip. A key that holds something else is
// an error.
func (b *backend) inspect(ctx context.Context, keys ...string) ([]state, error) {
	states, err := b.ask(ctx, keys, func(pipe redis.Cmdable, key string) redis.Cmder {
		return stateScript.EvalShaRO(ctx, pipe, []string{key})
	})
	if code(err) == "NOSCRIPT" {
		states, err = b.ask(ctx, keys, func(pipe redis.Cmdable, key string) redis.Cmder {
			return stateScript.EvalRO(ctx, pipe, []string{key})
		})
	}
	if isNotPermitted(err) {
		return b.ask(ctx, keys, func(pipe redis.Cmdable, key string) redis.Cmder { return pipe.XInfoStream(ctx, key) })
	}
	return states, err
}

// exist says which keys are streams. A key that holds something else is an
// error. XINFO GROUPS says it in few bytes.
func (b *backend) exist(ctx context.Context, keys ...string) ([]bool, error) {
	states, err := b.ask(ctx, keys, func(pipe redis.Cmdable, key string) redis.Cmder { return pipe.XInfoGroups(ctx, key) })
	if isNotPermitted(err) {
		states, err = b.inspect(ctx, keys...)
	}
	exist := make([]bool, len(states))
	for i := range states {
		exist[i] = states[i].exists
	}
	return exist, err
}

// ask sends one question for each key in one round trip.
func (b *backend) ask(ctx context.Context, keys []string, question func(redis.Cmdable, string) redis.Cmder) ([]state, error) {
	pipe := b.client.Pipeline()
	asked := make([]redis.Cmder, len(keys))
	for i, key := range keys {
		asked[i] = question(pipe, key)
	}
	_, failed := pipe.Exec(ctx)
	states := make([]state, len(keys))
	for i, a := range asked {
		st, err := answered(a)
		if isMissingKey(err) {
			continue
		}
		if err == errMalformed { //nolint:errorlint // answered returns it bare
			err = cmp.Or(failed, err)
		}
		if err != nil {
			return nil, bare(ctx, err)
		}
		states[i] = st
	}
	return states, nil
}

// answered reads the answer to a question.
func answered(cmd redis.Cmder) (state, error) {
	if err := cmd.Err(); err != nil {
		return state{}, err
	}
	st := state{exists: true}
	switch cmd := cmd.(type) {
	case *redis.XInfoGroupsCmd:
	case *redis.XInfoStreamCmd:
		info := cmd.Val()
		if info == nil {
			return state{}, errMalformed // not sent
		}
		st.length, st.added, st.top = info.Length, info.EntriesAdded, infoID(info.LastGeneratedID)
		st.oldest, st.newest = infoID(info.FirstEntry.ID), infoID(info.LastEntry.ID)
	case *redis.Cmd:
		return stateFrom(cmd.Val())
	}
	return st, nil
}

// stateFrom reads what stateScript answers.
func stateFrom(v any) (state, error) {
	list, _ := v.([]any)
	if len(list) != 5 {
		return state{}, errMalformed
	}
	length, isLength := list[0].(int64)
	added, isAdded := list[1].(int64)
	st := state{exists: true, length: length, added: added}
	if !isLength || !isAdded {
		return state{}, errMalformed
	}
	for i, to := range []*id{&st.top, &st.oldest, &st.newest} {
		text, ok := list[2+i].(string)
		if !ok {
			return state{}, errMalformed
		}
		*to = infoID(text)
	}
	return st, nil
}

// seek finds the first entry from an id on.
var seekScript = redis.NewScript(`
local found = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', 1)
return found[1] and found[1][1] or ''`)

// seek is the id of the first entry from one id on; ok is false where there is
// none.
func (b *backend) seek(ctx context.Context, key string, from id) (found id, ok bool, err error) {
	text, err := seekScript.RunRO(ctx, b.client, []string{key}, from.String()).Text()
	if !isNotPermitted(err) {
		return infoID(text), text != "", err
	}
	page, err := b.client.XRangeN(ctx, key, from.String(), "+", 1).Result()
	if err != nil || len(page) == 0 {
		return id{}, false, err
	}
	return infoID(page[0].ID), true, nil
}

// countScript counts entries from an id on, up to so many, or to so many bytes
// of values that the server has to look at meanwhile. It takes few at a time
// while they are large. -1 as where to continue says that there is no more.
var countScript = redis.NewScript(`
local from, most, budget = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local n, size = 0, 1
while n < most and budget > 0 do
  local page = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', math.min(size, most - n))
  if #page == 0 then return {n, '-1'} end
  local bytes = 0
  for _, e in ipairs(page) do
    for _, text in ipairs(e[2]) do bytes = bytes + #text end
  end
  n, budget, from = n + #page, budget - bytes, '(' .. page[#page][1]
  size = math.max(1, math.min(4 * size, 1000, math.floor(1048576 * #page / (bytes + 1))))
end
return {n, from}`)

// What is counted at most, and the bytes that the server looks at in one
// command and in all.
const (
	counted      = 10_000
	countBytes   = 8 << 20
	countedBytes = 512 << 20
)

// count counts entries from one id on; -1: there are too many.
func (b *backend) count(ctx context.Context, key string, from id) (int64, error) {
	n, start := int64(0), from.String()
	for range countedBytes / countBytes {
		answer, err := countScript.RunRO(ctx, b.client, []string{key}, start, counted-n, countBytes).Slice()
		if isNotPermitted(err) {
			return b.countPlainly(ctx, key, from)
		}
		if err != nil {
			return -1, err
		}
		if len(answer) != 2 {
			return -1, errMalformed
		}
		more, _ := answer[0].(int64)
		start, _ = answer[1].(string)
		if n += more; start == "-1" {
			return n, nil
		}
		if n >= counted {
			break
		}
	}
	return -1, nil
}

// countedAtOnce is what is counted in one round trip without a script.
const countedAtOnce = 100

// countPlainly is count without a script: all of the entries comes here.
func (b *backend) countPlainly(ctx context.Context, key string, from id) (int64, error) {
	n := 0
	for n < counted {
		page, err := b.client.XRangeN(ctx, key, from.String(), "+", countedAtOnce).Result()
		if err != nil {
			return -1, err
		}
		n += len(page)
		if len(page) < countedAtOnce {
			return int64(n), nil
		}
		from = infoID(page[len(page)-1].ID).next()
	}
	return -1, nil
}
