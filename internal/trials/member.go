package trials

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
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

// memberVariable makes a test binary a member of a group: an errand, as JSON.
const memberVariable = "STREAMER_TRIAL_MEMBER"

type errand struct{ URI, Group, Name string }

const (
	// inHand is how many messages a member has taken and not acknowledged, so
	// that each SIGKILL finds some.
	inHand = 5

	// working is how long a member keeps them while no other comes.
	working = 20 * time.Millisecond
)

// RunMember is the one line of TestMember, a test which every package has that
// makes a [Crew], and which does nothing unless it is started by one. Then it
// is the program of a member: each message is notified on standard output when
// it is delivered, and acknowledged only when some later ones have come. At the
// end of standard input the member acknowledges all and leaves.
func RunMember(t *testing.T) {
	text, ok := os.LookupEnv(memberVariable)
	if !ok {
		return
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
	s, err := streamer.ConnectWith(ctx, e.URI, streamer.StreamerOptions{Hooks: streamer.Hooks{Assigned: func(e streamer.AssignEvent) {
		if e.Lost {
			fmt.Println("lost", e.Revoked)
		}
	}}})
	if err != nil {
		return err
	}
	o := Reader(streamer.LoadBalanced)
	o.Group, o.Name = e.Group, e.Name
	c, err := s.Consumer(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(work(ctx, c), s.Close())
}

// work takes messages until ctx ends, and then acknowledges what it still has.
func work(ctx context.Context, c streamer.Consumer) error {
	var held []*streamer.Message
	finish := func(keep int) {
		for ; len(held) > keep; held = held[1:] {
			held[0].Ack()
		}
	}
	for {
		waiting, cancel := context.WithTimeout(ctx, working)
		m, err := c.Next(waiting)
		cancel()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				fmt.Println("got", m.Shard, m.Seq)
				m.Ack()
			}
			finish(0)
			return nil
		case errors.Is(err, context.DeadlineExceeded):
			finish(0)
		case err != nil:
			return err
		default:
			fmt.Println("got", m.Shard, m.Seq)
			held = append(held, m)
			finish(inHand)
		}
	}
}

// Member is a running member. Its goroutine reads what it tells, and is joined
// by gone.
type Member struct {
	Name  string
	cmd   *exec.Cmd
	stdin io.Closer
	done  chan struct{}

	mu   sync.Mutex
	got  []string // places, in the order of delivery
	lost []string // shards that it lost without a chance to commit
	err  string
}

func (t *Trial) enlist(e errand) *Member {
	t.Helper()
	text, err := json.Marshal(e)
	t.Must("errand", err)
	m := &Member{Name: e.Name, done: make(chan struct{}), cmd: exec.Command(os.Args[0], "-test.run=^TestMember$")}
	m.cmd.Env = append(os.Environ(), memberVariable+"="+string(text))
	m.cmd.Stderr = os.Stderr
	m.stdin, err = m.cmd.StdinPipe()
	t.Must("stdin", err)
	out, err := m.cmd.StdoutPipe()
	t.Must("stdout", err)
	t.Must("start", m.cmd.Start())
	go m.listen(out)
	t.Cleanup(func() { _ = m.kill() })
	return m
}

func (m *Member) listen(out io.Reader) {
	defer close(m.done)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		m.mu.Lock()
		switch word {
		case "got":
			m.got = append(m.got, rest)
		case "lost":
			m.lost = append(m.lost, rest)
		case "error":
			m.err = rest
		}
		m.mu.Unlock()
	}
}

func (m *Member) delivered() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.got)
}

func (m *Member) ended() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// kill ends the member with SIGKILL.
func (m *Member) kill() error {
	_ = m.cmd.Process.Kill()
	return m.gone()
}

// leave lets the member close, and says what became of that.
func (m *Member) leave() error {
	_ = m.stdin.Close()
	return m.gone()
}

func (m *Member) gone() error {
	<-m.done // all it told has been read
	err := m.cmd.Wait()
	if m.err != "" {
		return fmt.Errorf("%s: %s", m.Name, m.err)
	}
	return err
}
