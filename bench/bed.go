package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// payload is the size of every value.
const payload = 256

// bed is what a case runs on. It is used by one goroutine.
type bed struct {
	ctx      context.Context
	messages int    // per trial
	dir      string // for files; removed in the end
	serial   int
	ends     []func() error
}

func newBed(ctx context.Context, messages int) (*bed, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	b := &bed{ctx: ctx, messages: messages, dir: dir}
	b.atEnd(func() error { return os.RemoveAll(dir) })
	return b, nil
}

// atEnd has f called by close, the last one first.
func (b *bed) atEnd(f func() error) { b.ends = append(b.ends, f) }

func (b *bed) close() error {
	var all error
	for i := len(b.ends) - 1; i >= 0; i-- {
		all = errors.Join(all, b.ends[i]())
	}
	return all
}

// unique is a name that no other trial has.
func (b *bed) unique(prefix string) string {
	b.serial++
	return fmt.Sprintf("%s-%d", prefix, b.serial)
}
