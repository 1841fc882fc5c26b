package testservers

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

const orphanVariable = "STREAMER_TESTSERVERS_ORPHAN"

// TestServersEndWithATestProcessThatIsKilled starts itself again as a test that
// starts a server and is killed.
func TestServersEndWithATestProcessThatIsKilled(t *testing.T) {
	if os.Getenv(orphanVariable) != "" {
		if s := StartRedis(t, RedisOptions{}); s != nil {
			fmt.Println(s.Addr(), s.dir)
			_, _ = io.Copy(io.Discard, os.Stdin)
		}
		return
	}
	if _, err := FindRedis(); err != nil {
		leaveOut(t, err)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), orphanVariable+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	var addr, dir string
	if _, scanned := fmt.Sscan(line, &addr, &dir); err != nil || scanned != nil {
		t.Fatalf("the child said %q: %v", line, err)
	}
	defer os.RemoveAll(dir)
	if _, err := call(addr, nil, []string{"PING"}); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if _, err := call(addr, nil, []string{"PING"}); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server lives on")
		}
	}
}
