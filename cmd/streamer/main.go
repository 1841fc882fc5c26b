package main

import (
	"context"
	"os"
)

func main() {
	ctx := untilSignal(context.Background(), os.Exit)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
