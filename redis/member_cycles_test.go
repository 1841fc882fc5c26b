package redis_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gostreamer/streamer"
)

// memberVariable makes the test binary a member of a group instead: the URI and the member's name, as JSON.
const memberVariable = "STREAMER_REDIS_MEMBER"

type errand struct{ URI, Name string }

// inHand is how many messages a member has taken and not acknowledged, so that each SIGKILL finds some.
const inHand = 5

// TestMember is the program of a member of a group. Each message is told on standard output when it is delivered, and acknowledged only when
// some later ones have come. At the end of standard input the member acknowledges all and leaves.
func TestMember(t *testing.T) {
	text, ok := os.LookupEnv(memberVariable)
	if !ok {
		return // it is started by TestMembersComeAndGo
	}
	var e errand
	err := json.Unmarshal([]byte(text), &e)
	if err == nil {
		err = e.run(t.Context())
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

func (e errand) run(ctx context.Context) error {
	ctx, leave := context.WithCancel(ctx)
	go func() { // ends with the parent's hand on standard input, thus with this process
		_, _ = io.Copy(io.Discard, os.Stdin)
		leave()
	}()
	s, err := streamer.Connect(ctx, e.URI)
	if err != nil {
		return err
	}
	c, err := s.Consumer(ctx, streamer.ConsumerOptions{
		Mode: streamer.LoadBalanced, Group: "g", Name: e.Name, AutoReset: streamer.Earliest, Ack: streamer.AckManual, CommitEvery: 20 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	var held []*streamer.Message
	for ctx.Err() == nil {
		m, err := c.Next(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if err != nil {
			break
		}
		fmt.Println("got", m.Shard, m.Seq)
		if held = append(held, m); len(held) > inHand {
			held[0].Ack()
			held = held[1:]
		}
	}
	for _, m := range held {
		m.Ack()
	}
	return s.Close()
}

// member is a running member. Its goroutine reads what it tells, and is joined by gone.
type member struct {
	name  string
	cmd   *exec.Cmd
	stdin io.Closer
	done  chan struct{}

	mu  sync.Mutex
	got []string // places, in the order of delivery
	err string
}

func (t *trial) enlist(uri, name string) *member {
	t.Helper()
	text, err := json.Marshal(errand{uri, name})
	t.must("errand", err)
	m := &member{name: name, done: make(chan struct{}), cmd: exec.Command(os.Args[0], "-test.run=^TestMember$")}
	m.cmd.Env = append(os.Environ(), memberVariable+"="+string(text))
	m.cmd.Stderr = os.Stderr
	m.stdin, err = m.cmd.StdinPipe()
	t.must("stdin", err)
	out, err := m.cmd.StdoutPipe()
	t.must("stdout", err)
	t.must("start", m.cmd.Start())
	go m.listen(out)
	t.Cleanup(func() { _ = m.kill() })
	return m
}

func (m *member) listen(out io.Reader) {
	defer close(m.done)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		m.mu.Lock()
		switch word {
		case "got":
			m.got = append(m.got, rest)
		case "error":
			m.err = rest
		}
		m.mu.Unlock()
	}
}

func (m *member) delivered() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.got)
}

// kill ends the member with SIGKILL.
func (m *member) kill() error {
	_ = m.cmd.Process.Kill()
	return m.gone()
}

// leave lets the member close, and says what became of that.
func (m *member) leave() error {
	_ = m.stdin.Close()
	return m.gone()
}

func (m *member) gone() error {
	<-m.done // all it told has been read
	err := m.cmd.Wait()
	if m.err != "" {
		return fmt.Errorf("%s: %s", m.name, m.err)
	}
	return err
}
