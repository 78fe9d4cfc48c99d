package transport_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/transport"
)

// insideVariable is set in the process that has a network of its own.
const insideVariable = "LANYARD_TRANSPORT_INSIDE"

// A firewall in a network of the test's own swallows every packet of a TCP
// connection, in both directions and without a word, as a peer does that lost
// its power or its Wi-Fi.
func TestATCPPeerThatIsGoneIsNoticed(t *testing.T) {
	at, from, id, inside := twoInside(t)
	if !inside {
		return
	}
	_, amid := meet(t, at, from, id)
	_, later := meet(t, at, from, id)

	vanish(t)
	began := time.Now()
	go func() {
		for {
			if _, err := amid.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}()
	<-amid.Done()
	took := time.Since(began)
	t.Logf("amid a transfer it was noticed after %v", took.Round(time.Second))
	if took < 2*time.Second || took > 45*time.Second {
		t.Errorf("it took %v, want at most 30 s, and not at once: a network may be gone for a moment", took)
	}
	if _, err := amid.Read(make([]byte, 1)); fault.KindOf(err) != fault.Retry {
		t.Errorf("read gives %v, want a fault of kind Retry", err)
	}

	// It comes back, and does not know the connection any more: the answer to the
	// first packet says so.
	if err := at.Close(); err != nil {
		t.Fatal(err)
	}
	system(t, "nft delete table inet test")
	if _, err := later.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if _, err := later.Read(make([]byte, 1)); fault.KindOf(err) != fault.Retry {
		t.Errorf("after the restart read gives %v, want a fault of kind Retry", err)
	}
}

// A device that moved repeats what it had sent from where it was: that arrives,
// and no answer to it does.
func TestATCPPeerThatCannotHearUsGivesNoSignOfIt(t *testing.T) {
	at, from, id, inside := twoInside(t)
	if !inside {
		return
	}
	here, there := meet(t, at, from, id)
	grows := func(what string, count func(transport.Conn) (uint64, bool), during func()) {
		t.Helper()
		before, told := count(here)
		if !told {
			t.Fatal(what, "are not told")
		}
		during()
		for now := before; now == before; now, _ = count(here) {
			runtime.Gosched()
		}
	}
	say := func(c transport.Conn) func() {
		return func() {
			if _, err := c.Write(make([]byte, 100)); err != nil {
				t.Error(err)
			}
		}
	}
	grows("acknowledgements", transport.Heard, say(here))

	// What goes to the peer is dropped from here on.
	_, port, _ := strings.Cut(strings.TrimPrefix(here.RemoteAddress(), "tcp://127.0.0.1"), ":")
	system(t, "nft add table inet test")
	system(t, "nft add chain inet test in { type filter hook input priority 0 ; }")
	system(t, "nft add rule inet test in tcp dport "+port+" drop")
	heard, _ := transport.Heard(here)
	say(here)()
	grows("segments", transport.Signs, say(there))
	grows("segments", transport.Signs, func() {}) // repeated
	if now, _ := transport.Heard(here); now != heard {
		t.Errorf("it heard %d bytes more, and none can have arrived", now-heard)
	}
}

// twoInside gives two transports, and the ID of the first, in a network that has
// nothing else in it; inside is false in the process that only began the one that
// is there.
func twoInside(t *testing.T) (at, from transport.Transport, id device.ID, inside bool) {
	t.Helper()
	if os.Getenv(insideVariable) == "" {
		runInside(t)
		return nil, nil, device.ID{}, false
	}
	system(t, "ip link set lo up")
	at, id = listenTCP(t, transport.Options{Known: everyone})
	from, _ = listenTCP(t, transport.Options{Known: everyone})
	return at, from, id, true
}

// vanish drops all packets of TCP.
func vanish(t *testing.T) {
	t.Helper()
	system(t, "nft add table inet test")
	system(t, "nft add chain inet test in { type filter hook input priority 0 ; }")
	system(t, "nft add rule inet test in meta l4proto tcp drop")
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
	t.Parallel() // it mostly waits
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
	if out, err := exec.Command("unshare", apart, "nft", "add", "table", "inet", "test").CombinedOutput(); err != nil {
		notRun(t, "no network of one's own: "+string(out))
		return
	}
	runtime.LockOSThread() // the signal at a parent's death is that of its thread
	defer runtime.UnlockOSThread()
	cmd := exec.Command("unshare", apart, os.Args[0], "-test.v", "-test.count=1", "-test.timeout=75s", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("inside: %v\n%s", err, out)
		return
	}
	t.Logf("%s", out)
}

func notRun(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Logf("not run: %s", why)
}
