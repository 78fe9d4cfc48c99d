//go:build unix

package e2e_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// process is a program in a process group of its own, with its output in a
// file that is shown when the test fails.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed by start's goroutine once the program has ended
}

// start runs a program until the test ends, or stop or kill ends it.
func start(t *testing.T, log string, env []string, argv ...string) *process {
	t.Helper()
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(t, err)
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, cmd.Start())
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended is in its log
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("end of %s:\n%s", filepath.Base(log), tail(log, 30))
		}
	})
	return p
}

// kill ends the program at once, as a power cut would.
func (p *process) kill() { p.end(syscall.SIGKILL) }

// stop asks the program to end, and insists after a while.
func (p *process) stop() { p.end(syscall.SIGTERM) }

func (p *process) end(sig syscall.Signal) {
	if p.ended() {
		return
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, sig) // it may just have ended
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// tail gives the last lines of a file.
func tail(path string, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(string(bytes.TrimSpace(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// lastPort is the port that freePort gave last. It begins below the range from
// which systems take ports for outgoing connections, somewhere of its own in
// each run.
var lastPort atomic.Int32

func init() { lastPort.Store(int32(12_000 + os.Getpid()%8_000)) }

// freePort gives a port on loopback that nobody uses now, for UDP and for TCP.
// It gives none twice, so that tests can run side by side.
func freePort(t *testing.T) int {
	t.Helper()
	for lastPort.Load() < 32_000 {
		at := fmt.Sprintf("127.0.0.1:%d", lastPort.Add(1))
		u, err := net.ListenPacket("udp", at)
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", at)
		u.Close()
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).Port
	}
	t.Fatal("no port is free")
	return 0
}

// netHost is a host on the switch of a test's own network.
type netHost struct{ name, four string }
