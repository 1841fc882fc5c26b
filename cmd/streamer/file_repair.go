package main

import (
	"context"
	"fmt"
)

type repairCmd struct {
	logArg
	To string `arg:"" help:"The new log, which must not exist."`
}

// Help is printed below the one line that the list of commands shows.
func (c *repairCmd) Help() string {
	return "The new log has every whole message, with its number and time, including those that readers skip because the bytes before them are damaged. " +
		"The command says what was lost. The old log is not changed; to replace it with the new one, stop its writer. Groups find their positions by number."
}

func (c *repairCmd) Run(ctx context.Context, e *env) error {
	l, err := c.open(e)
	if err != nil {
		return err
	}
	d := damage{e: e}
	s, err := l.Repair(ctx, c.To, d.add, e.advance)
	if err = e.finish(ctx, err, l); err != nil {
		return err
	}
	fmt.Fprintf(e.out, "%s kept", counted(s.Messages, "message"))
	if s.Lost > 0 {
		fmt.Fprintf(e.out, ", %s of them out of what readers pass over; lost: %s in %s", thousands(s.Inside), size(s.Bytes), counted(s.Lost, "range"))
	}
	if s.Missing > 0 {
		fmt.Fprintf(e.out, ", %s missing", counted(s.Missing, "number"))
	}
	if s.Bare > 0 {
		fmt.Fprintf(e.out, ", the keys and headers of %s", counted(s.Bare, "message"))
	}
	_, err = fmt.Fprintln(e.out)
	return err
}
