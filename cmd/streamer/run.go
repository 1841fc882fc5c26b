package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Quiet   bool `short:"q" help:"No progress line and no summary; warnings and errors remain."`
	Verbose bool `short:"v" help:"Say what was done, and log connections, assignments and commits."`

	Produce  produceCmd  `cmd:"" help:"Send each line of standard input as a message."`
	Consume  consumeCmd  `cmd:"" help:"Print the messages of a stream, one value per line."`
	Relay    relayCmd    `cmd:"" help:"Copy messages from one stream to another and go on where it stopped."`
	Describe describeCmd `cmd:"" help:"Show the shards of streams."`
	Streams  streamsCmd  `cmd:"" help:"List the streams."`
	Groups   groupsCmd   `cmd:"" help:"List the groups that have a position in a stream."`
	Create   createCmd   `cmd:"" help:"Make streams."`
	Lag      lagCmd      `cmd:"" help:"Show how far groups are behind."`
	File     fileCmd     `cmd:"" help:"Look into .ss files: decode, verify, repair, info."`
	Version  versionCmd  `cmd:"" help:"Show the version of this program."`
}

// run is the program: it parses args, runs one command and returns the exit
// code. It returns soon after ctx ends. What it starts has ended when it
// returns, but for a read of stdin that nothing can interrupt.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	screen := newScreen(stderr, stdout)
	chosen, options, err := parse(args, screen.stdout)
	if errors.Is(err, errHelp) {
		return exitOK
	}
	if err != nil {
		return report(screen, usageError{err})
	}
	e := &env{
		in: stdin, stdout: stdout, out: screen.stdout, err: screen,
		meter: newMeter(), quiet: options.Quiet, verbose: options.Verbose,
	}
	stop := e.startProgress(chosen.Selected().Name, time.Second)
	chosen.BindTo(ctx, (*context.Context)(nil))
	err = chosen.Run(e)
	stop()
	if err = causeOf(ctx, err); !e.concluded && isStop(err) {
		e.conclude(chosen.Selected().Name, err, "nothing was done", false)
	}
	return report(screen, err)
}

// errHelp says that help was printed and there is nothing to run.
var errHelp = errors.New("help")

func parse(args []string, stdout io.Writer) (*kong.Context, *cli, error) {
	options := &cli{}
	options.Produce.init()
	options.Consume.init()
	options.Relay.init()
	helped := false
	parser, err := kong.New(options,
		kong.Name("streamer"),
		kong.Description(description),
		kong.Writers(stdout, stdout),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110, NoAppDescFormat: true}),
	)
	if err != nil {
		return nil, nil, err
	}
	chosen, err := parser.Parse(args)
	if helped {
		return nil, nil, errHelp
	}
	return chosen, options, err
}
