package redis

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestOnlyWhatStandsStillIsGivenUp: bytes that come, or go, are time gained.
func TestOnlyWhatStandsStillIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		c := newPaced(near, 5*time.Second)
		defer c.Close()
		begin := time.Now()
		go func() {
			for range 10 {
				time.Sleep(4 * time.Second)
				_, _ = far.Write([]byte("x"))
			}
		}()
		if _, err := io.ReadFull(c, make([]byte, 10)); err != nil {
			t.Fatalf("after %v: %v", time.Since(begin), err)
		}
		begin = time.Now()
		_, err := c.Read(make([]byte, 1))
		if took := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || took != 5*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestAReadWaitsForWhatIsStillWritten: an answer cannot come before the
// question has gone, and a large one is in the kernel for long.
func TestAReadWaitsForWhatIsStillWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		c := newPaced(near, 5*time.Second)
		defer c.Close()
		const size = 20 * writtenAtOnce
		go func() {
			_, _ = c.Write(make([]byte, size))
		}()
		go func() {
			part := make([]byte, writtenAtOnce)
			for range 20 {
				time.Sleep(3 * time.Second)
				_, _ = io.ReadFull(far, part)
			}
			time.Sleep(8 * time.Second) // less than the kernel may need
			_, _ = far.Write([]byte("x"))
		}()
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTheUsersTimeLimitHoldsBesideThePace.
func TestTheUsersTimeLimitHoldsBesideThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		c := newPaced(near, 5*time.Second)
		defer c.Close()
		begin := time.Now()
		if err := c.SetDeadline(begin.Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err := c.Read(make([]byte, 1))
		if took := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || took != 2*time.Second {
			t.Errorf("Read: %v after %v", err, took)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write: %v", err)
		}
	})
}
