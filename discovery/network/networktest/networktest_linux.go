// Package networktest runs tests in a network of their own, where they may change
// interfaces, addresses and firewalls as they like.
package networktest

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// insideVariable is set in the process that has a network of its own.
const insideVariable = "LANYARD_NETWORK_INSIDE"

// Inside runs a test once more, as another process in namespaces of its own in
// which no interface is up, and reports whether this is that process. It needs ip
// and the programs that are named, and root or the right to make namespaces; where
// that is missing the test fails in continuous integration, and is named as not
// run elsewhere.
func Inside(t *testing.T, programs ...string) bool {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		return true
	}
	for _, need := range append([]string{"unshare", "ip"}, programs...) {
		if _, err := exec.LookPath(need); err != nil {
			notRun(t, "it needs "+need)
			return false
		}
	}
	apart := "-n"
	if os.Geteuid() != 0 {
		apart = "-Urn"
	}
	if out, err := exec.Command("unshare", apart, "ip", "tuntap", "add", "dev", "x", "mode", "tun").CombinedOutput(); err != nil {
		notRun(t, "no network of one's own: "+string(out))
		return false
	}
	runtime.LockOSThread() // the signal at a parent's death is that of its thread
	defer runtime.UnlockOSThread()
	cmd := exec.Command("unshare", apart, os.Args[0], "-test.v", "-test.count=1", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("inside: %v\n%s", err, out)
	} else {
		t.Logf("%s", out)
	}
	return false
}

// System runs a command, whose words hold no spaces.
func System(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
}

func notRun(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Logf("not run: %s", why)
}
