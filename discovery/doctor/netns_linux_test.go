package doctor

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"lanyard/sync/fault"
)

// insideVariable is set in the process that has a network of its own.
const insideVariable = "LANYARD_DOCTOR_INSIDE"

// A network of the test's own: two interfaces that are joined, then a firewall
// that drops what one method needs, then a tunnel that takes the way.
func TestAMachineIsExamined(t *testing.T) {
	if os.Getenv(insideVariable) == "" {
		runInside(t)
		return
	}
	system(t, "ip link set lo up")
	system(t, "ip link add near type veth peer name far")
	system(t, "ip addr add 192.0.2.1/24 dev near")
	system(t, "ip link set near up")
	system(t, "ip link set far up")
	found := func(when string, want ...string) {
		t.Helper()
		var got []string
		for _, f := range Examine(t.Context(), Options{Wait: 5 * time.Second, Port: 22000}) {
			if f.Check != Buffers { // those of this machine
				got = append(got, string(f.Check)+" "+f.Interface+" "+string(fault.CodeOf(f.Err)))
			}
		}
		if strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s: found %q, want %q", when, got, want)
		}
	}
	found("all is well")
	system(t, "nft add table inet test")
	system(t, "nft add chain inet test in { type filter hook input priority 0 ; }")
	system(t, "nft add rule inet test in ip daddr 224.0.0.251 udp dport 5353 drop")
	found("a firewall drops mDNS", "mdns near firewall-blocked")
	system(t, "nft delete table inet test")
	system(t, "ip tuntap add dev tunnel mode tun")
	system(t, "ip addr add 198.51.100.1/32 dev tunnel")
	system(t, "ip link set tunnel up")
	system(t, "ip route add 192.0.2.0/25 dev tunnel")
	found("a tunnel takes the way", "route near vpn-takes-lan")
}

// system runs a command, whose words hold no spaces.
func system(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
}

// runInside runs the test once more, as another process in namespaces of its
// own.
func runInside(t *testing.T) {
	t.Helper()
	for _, need := range []string{"unshare", "ip", "nft"} {
		if _, err := exec.LookPath(need); err != nil {
			notRun(t, "it needs "+need)
			return
		}
	}
	apart := "-n"
	if os.Geteuid() != 0 {
		apart = "-Urn"
	}
	if out, err := exec.Command("unshare", apart, "ip", "tuntap", "add", "dev", "x", "mode", "tun").CombinedOutput(); err != nil {
		notRun(t, "no network of one's own: "+string(out))
		return
	}
	runtime.LockOSThread() // the signal at a parent's death is that of its thread
	defer runtime.UnlockOSThread()
	cmd := exec.Command("unshare", apart, os.Args[0], "-test.v", "-test.count=1", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("inside: %v\n%s", err, out)
	}
}

func notRun(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Logf("not run: %s", why)
}
