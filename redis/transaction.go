package redis

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// execute carries a transaction out. One that the server refused to queue a
// command of fails for that command's reason.
func execute(ctx context.Context, tx redis.Pipeliner) error {
	cmds, err := tx.Exec(ctx)
	if code(err) != "EXECABORT" {
		return err
	}
	for _, cmd := range cmds {
		if reason := cmd.Err(); reason != nil && code(reason) != "EXECABORT" {
			return reason
		}
	}
	return err
}
