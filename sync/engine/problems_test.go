package engine

import (
	"crypto/sha256"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fault"
	"lanyard/sync/folder"
	"lanyard/sync/peer"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
	"lanyard/sync/status/statustest"
	"lanyard/sync/transport"
	"lanyard/sync/vector"
)

// shifted is an executor whose clock a test puts forward.
type shifted struct {
	*exec.Real
	mu     sync.Mutex
	offset time.Duration
}

func (s *shifted) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Real.Now().Add(s.offset)
}

// later puts the clock of a device forward.
func (n *node) later(d time.Duration) {
	s := n.clock
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
}

func (n *node) deviceProblem(other *node) fault.Code {
	if p := n.deviceOf(n.Snapshot(), other).Problem; p != nil {
		return p.Code
	}
	return ""
}

// awaitDevice waits until a device has just the one problem, "" for none.
func (n *node) awaitDevice(other *node, code fault.Code) status.Problem {
	n.t.Helper()
	var d status.Device
	n.await("the problem of "+other.name+" is "+string(code), func(s status.Snapshot) bool {
		d = n.deviceOf(s, other)
		if code == "" {
			return d.Problem == nil && len(d.Problems) == 0
		}
		return d.Problem != nil && d.Problem.Code == code && len(d.Problems) == 1
	})
	if code == "" {
		return status.Problem{}
	}
	return statustest.Shown(n.t, d.Problems, code)
}

func (n *node) awaitFolder(code fault.Code) status.Problem {
	n.t.Helper()
	p, _ := n.awaitProblem(code)
	return p
}

// awaitProblem is awaitFolder that also gives the folder as it was then.
func (n *node) awaitProblem(code fault.Code) (status.Problem, status.Folder) {
	n.t.Helper()
	var f status.Folder
	n.await("the first problem of the folder is "+string(code), func(s status.Snapshot) bool {
		f = n.folderOf(s)
		return code == "" && f.Problem == nil || f.Problem != nil && f.Problem.Code == code
	})
	if code == "" {
		return status.Problem{}, f
	}
	return statustest.Shown(n.t, f.Problems, code), f
}

func TestADeviceThatIsAwayIsAProblemAfterAWhile(t *testing.T) {
	a, b := connectedPair(t)
	a.inSync(b)
	b.stop()
	a.awaitConnected(b, false)
	a.awaitDevice(b, "")
	a.write("for b", "content")
	a.scanned()
	a.later(awayAfter)
	p := a.awaitDevice(b, "device-out-of-reach")
	if seen, err := time.Parse(time.RFC3339, p.Param["time"]); err != nil || p.Param["device"] != "b" || p.Param["n"] != "1" || time.Since(seen) > patience {
		t.Errorf("it is told with %v", p.Param)
	}
}

func TestADeviceThatDoesNotKnowUsIsWaitedFor(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	b.knows(a)
	p := b.awaitDevice(a, "waiting-for-their-yes")
	if id := b.id.String(); p.Param["self"] != id || p.Param["group"] != id[len(id)-7:] || p.Param["device"] != "a" {
		t.Errorf("it is told with %v", p.Param)
	}
	if b.deviceOf(b.Snapshot(), a).Connected {
		t.Error("a device that does not talk to us counts as connected")
	}
	a.knows(b)
	b.awaitConnected(a, true)
	b.awaitDevice(a, "")
}

func TestADeviceThatForgotUsIsNotAsOneThatNeverKnewUs(t *testing.T) {
	a, b := connectedPair(t)
	a.inSync(b)
	b.want(func(d *Desired) { d.Devices = nil })
	a.awaitDevice(b, "device-forgot-us")
}

func TestADeviceThatPausedUsSaysSo(t *testing.T) {
	a, b := connectedPair(t)
	a.inSync(b)
	b.want(func(d *Desired) { d.Devices[0].Paused = true })
	a.awaitDevice(b, "device-paused-there")
	if p := b.awaitDevice(a, "paused-by-you"); p.Param["device"] != "a" {
		t.Errorf("it is told with %v", p.Param)
	}
	if b.Snapshot().Offers != nil && len(b.Snapshot().Offers) != 0 {
		t.Error("a device that is paused counts as one that asks to connect")
	}
	b.want(func(d *Desired) { d.Devices[0].Paused = false })
	a.awaitConnected(b, true)
	a.awaitDevice(b, "")
}

func TestADeviceThatPausedEveryFolderSaysSo(t *testing.T) {
	a, b := connectedPair(t)
	a.inSync(b)
	b.want(func(d *Desired) { d.Folders[0].Paused = true })
	a.awaitDevice(b, "device-paused-there")
	if p := b.awaitFolder("paused-by-you"); p.Param["folder"] != "Photos" || p.Param["id"] != "photos" {
		t.Errorf("it is told with %v", p.Param)
	}
	b.want(func(d *Desired) { d.Folders[0].Paused = false })
	a.awaitDevice(b, "")
	b.awaitFolder("")
}

func TestAnotherDeviceAtAnAddressIsNotTakenForTheOneWanted(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	ghost := &node{name: "ghost", id: device.ID{7}}
	knowGhost := func() {
		a.want(func(d *Desired) {
			d.Devices = append(d.Devices, DeviceSpec{ID: ghost.id, Name: "ghost", Addresses: b.o.Transport.Addresses()})
		})
	}
	knowGhost()
	nudged := func(want fault.Code) func(status.Snapshot) bool {
		return func(s status.Snapshot) bool {
			a.net.mu.Lock()
			defer a.net.mu.Unlock()
			if d := a.net.dialers[ghost.id]; d != nil {
				d.nudge(true)
			}
			return a.deviceProblem(ghost) == want
		}
	}
	a.await("another identity is noticed", nudged("device-other-identity"))
	a.awaitDevice(ghost, "device-other-identity")
	// Once b is one of our own devices it may well have the address.
	a.want(func(d *Desired) { d.Devices = nil })
	a.await("it is forgotten", func(s status.Snapshot) bool { return len(s.Devices) == 0 })
	a.knows(b)
	knowGhost()
	a.later(awayAfter)
	a.await("it is simply away", nudged("device-out-of-reach"))
}

func TestADeviceThatGreetsInTheOldWayIsTooOld(t *testing.T) {
	a := newNode(t, "a")
	certPEM, keyPEM, err := device.NewCertificate(time.Now())
	must(t, err)
	cert, id, err := device.LoadCertificate(certPEM, keyPEM)
	must(t, err)
	old, err := transport.ListenQUIC(transport.Options{Certificate: cert, Listen: "quic://127.0.0.1:0"})
	must(t, err)
	defer old.Close()
	a.want(func(d *Desired) { d.Devices = []DeviceSpec{{ID: id, Name: "old"}} })
	a.await("it may connect", func(status.Snapshot) bool { return a.Known(id) })
	conn, err := old.Dial(t.Context(), a.o.Transport.Addresses()[0], a.id)
	must(t, err)
	_, err = conn.Write([]byte{0x9f, 0x79, 0xbc, 0x40, 0, 0})
	must(t, err)
	if p := a.awaitDevice(&node{name: "old", id: id}, "device-too-old"); p.Param["version"] != "0.13" {
		t.Errorf("it is told with %v", p.Param)
	}
}

// silent is a wire that leads nowhere.
type silent struct{}

func (silent) Send(f peer.Frame) {
	if f.Sent != nil {
		f.Sent()
	}
}
func (silent) Close(string) {}

// met has a device connect and go, with the reason of the end.
func (n *node) met(other *node, h bep.Hello, end error) {
	n.t.Helper()
	p := n.Attach(Link{ID: other.id, Hello: h, Address: "quic://192.0.2.1:1", Wire: silent{}})
	n.awaitConnected(other, true)
	p.Lost(end)
	n.awaitConnected(other, false)
}

// strangers gives a device that knows one that is not there.
func strangers(t *testing.T) (a, b *node) {
	t.Helper()
	a = newNode(t, "a")
	b = &node{name: "b", id: device.ID{3}}
	a.shares(photos, b)
	a.want(func(d *Desired) { d.Devices = []DeviceSpec{{ID: b.id, Name: "b"}} })
	a.await("b may connect", func(s status.Snapshot) bool { return a.Known(b.id) && len(s.Devices) == 1 })
	return a, b
}

func TestADeviceThatSendsNonsenseAgainAndAgainIsNamed(t *testing.T) {
	a, b := strangers(t)
	nonsense := fault.New(fault.Peer, "", "the block has another hash")
	for range maxFaults {
		if got := a.deviceProblem(b); got != "" {
			t.Fatalf("too early it is %s", got)
		}
		a.met(b, bep.Hello{DeviceName: "b", NumConnections: 1}, nonsense)
	}
	if p := a.awaitDevice(b, "device-sends-nonsense"); p.Param["cause"] != nonsense.Error() {
		t.Errorf("it is told with %v", p.Param)
	}
	a.later(lookBack)
	if got := a.deviceProblem(b); got == "device-sends-nonsense" {
		t.Error("it is held against it for ever")
	}
}

func TestAConnectionThatKeepsBreakingIsUnsteady(t *testing.T) {
	a, b := strangers(t)
	for range maxStarts {
		a.met(b, bep.Hello{DeviceName: "b", NumConnections: 1}, nil)
	}
	if got := a.deviceProblem(b); got == "connection-unsteady" {
		t.Fatal("too early it is unsteady")
	}
	a.Attach(Link{ID: b.id, Hello: bep.Hello{DeviceName: "b", NumConnections: 1}, Wire: silent{}})
	a.awaitConnected(b, true)
	a.awaitDevice(b, "connection-unsteady")
	a.later(lookBack)
	a.awaitDevice(b, "")
}

func TestAClockThatIsOffIsTold(t *testing.T) {
	a, b := strangers(t)
	for _, off := range []time.Duration{-2 * time.Hour, 2 * time.Hour} {
		h := bep.Hello{DeviceName: "b", Timestamp: time.Now().Add(off).UnixNano()}
		p := a.Attach(Link{ID: b.id, Hello: h, Wire: silent{}})
		a.awaitConnected(b, true)
		got := a.awaitDevice(b, "clock-off").Param["span"]
		if got != "7200" && got != "7199" {
			t.Errorf("two hours are told as %s seconds", got)
		}
		p.Lost(nil)
		a.awaitConnected(b, false)
	}
	a.Attach(Link{ID: b.id, Hello: bep.Hello{DeviceName: "b", Timestamp: time.Now().UnixNano()}, Wire: silent{}})
	a.awaitConnected(b, true)
	a.awaitDevice(b, "")
}

func TestAFolderThatADeviceDoesNotShareBack(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	a.shares(photos, b)
	a.knows(b)
	b.knows(a)
	a.await("b says what it shares", func(status.Snapshot) bool {
		p := a.peer(b.id)
		return p != nil && p.Shares() != nil
	})
	a.awaitFolder("")
	a.await("the time to accept it is over", func(s status.Snapshot) bool {
		a.later(notAccepted) // again where two dials crossed, and it began anew
		return a.folderOf(s).Problem != nil
	})
	if p := a.awaitFolder("folder-not-accepted"); p.Param["device"] != "b" {
		t.Errorf("it is told with %v", p.Param)
	}
	b.shares(photos, a)
	a.awaitFolder("")
	a.inSync(b)
	b.want(func(d *Desired) { d.Folders = nil })
	a.awaitFolder("folder-left-by")
	if d := a.deviceOf(a.Snapshot(), b); len(d.Folders) != 0 {
		t.Errorf("a device that left the folder is said to have of it: %v", d.Folders)
	}
	b.shares(photos, a)
	a.awaitFolder("")
}

// announce has a device that is away have announced a file.
func (n *node) announced(other *node, name string) {
	n.t.Helper()
	n.await("the folder is open", func(s status.Snapshot) bool { return n.folderOf(s).State == status.Idle })
	f := n.folder(photos)
	must(n.t, f.index.ResetRemote(other.id, 5))
	must(n.t, f.index.UpdateRemote(other.id, []bep.FileInfo{{
		Name: path(name), Size: 3, BlockSize: block.MinSize, Blocks: []block.Info{{Size: 3, Hash: sha256.Sum256([]byte("new"))}},
		Sequence: 1, Version: vector.Vector{{ID: 9, Value: 9}},
	}}))
	f.runner.RemoteChanged()
}

func TestWhatNobodyHasIsListedAndTheFolderIsNotInSync(t *testing.T) {
	a, b := strangers(t)
	a.scanned()
	if f := a.folderOf(a.Snapshot()); !f.InSync {
		t.Errorf("an empty folder is not in sync: %+v", f)
	}
	a.announced(b, "theirs")
	p, f := a.awaitProblem("nobody-has-it")
	if p.Count != 1 || p.Param["file"] != "theirs" || p.Param["devices"] != "b" {
		t.Errorf("it is told as %+v", p)
	}
	if f.InSync || f.FailedCount != 1 || len(f.Failed) != 1 || f.Failed[0].Name != "theirs" {
		t.Errorf("the folder is shown as %+v", f)
	}
}

func TestAFolderThatOnlySendsTellsOfChangesElsewhere(t *testing.T) {
	a, b := strangers(t)
	a.want(func(d *Desired) { d.Folders[0].Type = bep.SendOnly })
	a.await("it only sends", func(s status.Snapshot) bool { return a.folderOf(s).Type == "send-only" })
	a.announced(b, "theirs")
	if p := a.awaitFolder("sender-differs"); p.Param["n"] != "1" {
		t.Errorf("it is told with %v", p.Param)
	}
}

func TestAFolderThatIsGoneIsAProblemUntilItIsBack(t *testing.T) {
	a, b := connectedPair(t)
	a.inSync(b)
	root := a.path("")
	must(t, os.Rename(root, root+".away"))
	if err := a.Scan(t.Context(), photos, nil); err == nil {
		t.Error("a folder that is gone was scanned")
	}
	p, f := a.awaitProblem("folder-missing")
	if p.Param["path"] != f.Path || p.Severity != status.Stop || p.Since.IsZero() || f.State != status.Stopped || f.InSync {
		t.Errorf("the folder is shown as %+v", f)
	}
	must(t, os.Rename(root+".away", root))
	a.folder(photos).runner.Start() // sooner than by itself
	a.awaitFolder("")
	a.inSync(b)
}

func TestNamesForPeopleMoveNoCursor(t *testing.T) {
	a, b := strangers(t)
	a.want(func(d *Desired) {
		d.Folders[0].Label = "Pho\x1b[2Jtos"
		d.Devices[0].Name = "b\r\n\u202e"
	})
	a.await("names are clean", func(s status.Snapshot) bool {
		return a.folderOf(s).Label == bep.CleanName("Pho\x1b[2Jtos") && a.deviceOf(s, b).Name == bep.CleanName("b\r\n\u202e")
	})
	for _, name := range []string{a.folderOf(a.Snapshot()).Label, a.deviceOf(a.Snapshot(), b).Name} {
		if slices.ContainsFunc([]rune(name), func(r rune) bool { return r < ' ' }) {
			t.Errorf("the name %q has control characters", name)
		}
	}
}

func TestAFullDiskIsToldOnceWithAllThatIsNeeded(t *testing.T) {
	a, _ := strangers(t)
	a.scanned()
	noRoom := fault.New(fault.Item, "disk-full", "no room")
	full := fault.With(fault.New(fault.Folder, "disk-full", "no room"), "need", "92", "free", "3000")
	v := folder.View{Known: true, Settled: true, Noted: map[fault.Code]error{"disk-full": full}, Failed: map[relpath.Path]error{path("one"): noRoom, path("two"): noRoom}}
	out := status.Folder{Need: status.Need{Items: 2, Bytes: 51_000}}
	a.judge(&out, a.folder(photos), v)
	if len(out.Problems) != 1 || out.Problems[0].Count != 2 || out.Problems[0].Param["need"] != "48000" {
		t.Errorf("the folder tells %+v, want one condition with two names and 48000 bytes", out.Problems)
	}
	if out.FailedCount != 2 {
		t.Errorf("%d names are listed, want 2", out.FailedCount)
	}
}
