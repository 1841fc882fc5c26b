// Command streamer moves event streams between files, pipes and servers, and
// says what is in them. docs/cli.md shows every command at work.
//
// A command is a method Run of a struct whose fields kong fills from the
// command line. It works through env, which holds the three standard streams,
// the counters and the progress line, so that a test runs the whole program
// in-process by calling run.
package main
