package web_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"lanyard/app/web"
)

// stranger is the user ID of nobody.
const stranger = 65534

func TestAnotherUserOfThisComputerIsNotHeard(t *testing.T) {
	if os.Getuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("it takes root to become another user")
		}
		t.Log("not run: needs root, to become another user")
		return
	}
	dir, err := os.MkdirTemp("", "lanyard-")
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	address := serve(t, web.Place{Socket: filepath.Join(dir, "control.sock"), Digest: "0"})
	// As on a file system that knows no modes.
	check(t, os.Chmod(dir, 0o755))
	check(t, os.Chmod(address, 0o666))
	heard := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: this thread ends with its goroutine
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), stranger, ^uintptr(0)); errno != 0 {
			heard <- errors.ErrUnsupported
			return
		}
		heard <- askOver(address)
	}()
	if err := <-heard; err == nil || errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("another user got %v, want no answer", err)
	}
	if err := askOver(address); err != nil {
		t.Errorf("the same request of this user: %v", err)
	}
}

// askOver sends a request over a Unix socket, in calls of this thread, and
// reads the beginning of the answer.
func askOver(address string) error {
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: address, Net: "unix"})
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET /api/v1/id HTTP/1.0\r\n\r\n")); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 64))
	return err
}
