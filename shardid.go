package streamer

import (
	"fmt"
	"math"
	"strconv"
)

// ShardID is the number of a stream's shard: the partition on Kafka, the suffix
// of the key on Redis, 0 where a stream has one shard. In JSON it is a number
// up to 2^53-1, which every reader of JSON can hold, and String above.
type ShardID uint64

// PlainShard is the shard that has no number: with shards=auto, the Redis key
// without a suffix. Its text is "plain".
const PlainShard ShardID = math.MaxUint64

const plainText = "plain"

// largestExact is the largest integer up to which a float64 holds every one.
const largestExact ShardID = 1<<53 - 1

// String is the number in decimal, or "plain".
func (s ShardID) String() string {
	if s == PlainShard {
		return plainText
	}
	return strconv.FormatUint(uint64(s), 10)
}

// ParseShardID is the inverse of String. ErrInvalid for other text.
func ParseShardID(s string) (ShardID, error) {
	if s == plainText {
		return PlainShard, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w shard %.40q: want its number, or plain", ErrInvalid, s)
	}
	return ShardID(n), nil
}

// AppendJSON appends what MarshalJSON returns.
func (s ShardID) AppendJSON(dst []byte) []byte {
	if s <= largestExact {
		return strconv.AppendUint(dst, uint64(s), 10)
	}
	return append(append(append(dst, '"'), s.String()...), '"')
}

// MarshalJSON returns a number up to 2^53-1 and String above. It never fails.
func (s ShardID) MarshalJSON() ([]byte, error) { return s.AppendJSON(nil), nil }

// UnmarshalJSON takes a number of any size or the text of String.
func (s *ShardID) UnmarshalJSON(text []byte) (err error) {
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' {
		text = text[1 : n-1]
	}
	*s, err = ParseShardID(string(text))
	return err
}
