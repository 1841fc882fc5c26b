package redis

import (
	"context"
	"fmt"
	"log/slog"
)

// clientLog passes what the client logs to the program's logger, as details:
// what matters is in errors and hooks. A program that wants it elsewhere calls
// redis.SetLogger after this package is initialised.
type clientLog struct{}

// Printf implements the logger of go-redis.
func (clientLog) Printf(ctx context.Context, format string, v ...any) {
	if slog.Default().Enabled(ctx, slog.LevelDebug) {
		slog.DebugContext(ctx, fmt.Sprintf(format, v...), "backend", scheme)
	}
}
