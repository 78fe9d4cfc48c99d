package e2e_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// insideVariable is set in the process that inside starts.
const insideVariable = "LANYARD_E2E_INSIDE"

// inside runs a test once more, in another process with namespaces of its own
// for mounts, processes and what else is named, with env added to its
// environment: whatever happens to it, nothing stays mounted or plugged in, and
// nothing goes on running. cannot says why that is not possible here. It reports
// whether this is that process.
func inside(t *testing.T, cannot func() error, env []string, namespaces ...string) bool {
	t.Helper()
	if os.Getenv(insideVariable) != "" {
		return true
	}
	if why := cannot(); why != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Logf("not run: %v", why)
		return false
	}
	runtime.LockOSThread() // the signal at a parent's death is that of its thread
	defer runtime.UnlockOSThread()
	args := append(namespaces, "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
		os.Args[0], "-test.v", "-test.count=1", "-test.timeout=0", "-test.parallel=8", "-test.run=^"+t.Name()+"$")
	cmd := exec.Command("unshare", args...)
	cmd.Env = append(append(os.Environ(), insideVariable+"=1"), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	must(t, err)
	if !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Error("the test did not run inside")
	}
	return false
}
