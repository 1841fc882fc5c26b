package main

import (
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

var stops = map[string]os.Signal{"SIGINT": os.Interrupt, "SIGTERM": syscall.SIGTERM}

func TestASignalStopsConsumeCleanlyAndItSaysWhatItDid(t *testing.T) {
	for name, signal := range stops {
		t.Run(name, func(t *testing.T) {
			p, feed := fed(t, "consume", "stdio:///s")
			io.WriteString(feed, "one\ntwo\n")
			p.stdout.await(t, "two\n")
			p.signal(signal)
			p.wait().want(t, exitOK, "one\ntwo\n", "consume: stopped by "+name+": 2 messages, 6 bytes printed")
		})
	}
}

func TestASignalStopsProduceAndWhatWasReadIsStored(t *testing.T) {
	for name, signal := range stops {
		t.Run(name, func(t *testing.T) {
			p, feed := fed(t, "produce", "stdio:///s?format=json")
			io.WriteString(feed, "one\ntwo\n")
			p.stdout.await(t, `"two"}`)
			p.signal(signal)
			r := p.wait()
			r.want(t, exitOK, r.stdout, "produce: stopped by "+name+": 2 messages, 6 bytes stored")
		})
	}
}

func TestASignalStopsRelayWhenEverythingIsStored(t *testing.T) {
	for name, signal := range stops {
		t.Run(name, func(t *testing.T) {
			p, feed := fed(t, "relay", "stdio:///s", "stdio:///t")
			io.WriteString(feed, "one\ntwo\n")
			p.stdout.await(t, "two\n")
			p.signal(signal)
			r := p.wait()
			r.want(t, exitOK, r.stdout, "relay: stopped by "+name+": 2 messages, 6 bytes stored")
		})
	}
}

// timeout(1) sends its signal to the process and to the process's group.
func TestASignalThatComesTwiceAtOnceIsOne(t *testing.T) {
	for range 5 {
		p, feed := fed(t, "consume", "stdio:///s")
		io.WriteString(feed, "one\n")
		p.stdout.await(t, "one\n")
		p.signal(os.Interrupt)
		p.cmd.Process.Signal(os.Interrupt)
		p.wait().want(t, exitOK, "one\n", "consume: stopped by SIGINT")
	}
}

func TestTheSecondSignalEndsAtOnce(t *testing.T) {
	out, full, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := prepare(t, "consume", "stdio:///s")
	p.cmd.Stdin = strings.NewReader(strings.Repeat("0123456789", 100<<10) + "\n")
	p.cmd.Stdout = full
	p.begin()
	full.Close()
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	// Nothing reads the pipe any more: the rest does not fit into the pipe, and
	// writing it cannot be interrupted.
	p.signal(os.Interrupt)
	for {
		select {
		case <-p.done:
			if code := p.cmd.ProcessState.ExitCode(); code != exitSecond {
				t.Errorf("exit code %d, want %d", code, exitSecond)
			}
			return
		default:
			p.cmd.Process.Signal(os.Interrupt)
		}
	}
}
