package engine

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/peer"
	"lanyard/sync/status"
)

func TestTwoDevicesKeepAFolderInSync(t *testing.T) {
	a, b := connectedPair(t)
	a.write("hello", "from a")
	a.scanned()
	b.awaitFile("hello", "from a")
	b.write("hello", "answer of b")
	b.scanned()
	a.awaitFile("hello", "answer of b")
	must(t, os.Remove(a.path("hello")))
	a.scanned()
	a.inSync(b)
	if _, err := os.Stat(b.path("hello")); err == nil {
		t.Error("the deletion did not arrive")
	}
	f := a.folderOf(a.Snapshot())
	if f.Label != "Photos" || f.Type != "send-receive" || f.State != status.Idle || f.Problem != nil || !slices.Equal(f.Devices, []string{b.id.String()}) {
		t.Errorf("the folder is shown as %+v", f)
	}
	d := a.deviceOf(a.Snapshot(), b)
	if d.Name != "b" || !d.Connected || d.InBytes == 0 || d.OutBytes == 0 || !strings.HasPrefix(d.Address, "quic://127.0.0.1:") || d.Client != "lanyard 1" {
		t.Errorf("the device is shown as %+v", d)
	}
}

func TestTwoThatDialAtOnceEndWithOneConnection(t *testing.T) {
	for range 5 {
		a, b := newNode(t, "a"), newNode(t, "b")
		a.shares(photos, b)
		b.shares(photos, a)
		a.knows(b)
		b.knows(a)
		one := func(n, other *node) {
			n.await("one connection", func(s status.Snapshot) bool {
				return n.deviceOf(s, other).Connected && n.connections(other) == 1
			})
		}
		one(a, b)
		one(b, a)
		a.inSync(b)
		a.stop()
		b.awaitConnected(a, false)
		b.stop()
	}
}

func TestAnUnknownDeviceBecomesAnOfferAndLearnsNoName(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	b.knows(a)
	a.await("an offer of b", func(s status.Snapshot) bool { return len(s.Offers) == 1 })
	if o := a.Snapshot().Offers[0]; o.Device != b.id.String() || o.Name != "b" || o.Folder != "" || !strings.HasPrefix(o.Address, "quic://") {
		t.Errorf("the offer is %+v", o)
	}
	if h := a.ourHello(b.id); h.DeviceName != "" {
		t.Errorf("a stranger is told the name %q", h.DeviceName)
	}
	a.knows(b)
	a.awaitConnected(b, true)
	if offers := a.Snapshot().Offers; len(offers) != 0 {
		t.Errorf("offers %+v after it was accepted", offers)
	}
}

func TestAFolderThatAnotherDeviceSharesBecomesAnOffer(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	a.shares(photos, b)
	a.knows(b)
	b.knows(a)
	b.await("an offer of the folder", func(s status.Snapshot) bool { return len(s.Offers) == 1 })
	if o := b.Snapshot().Offers[0]; o.Device != a.id.String() || o.Folder != string(photos) || o.Label != "Photos" || o.Name != "a" {
		t.Errorf("the offer is %+v", o)
	}
	a.want(func(d *Desired) { d.Folders = nil })
	b.await("no offer", func(s status.Snapshot) bool { return len(s.Offers) == 0 })
}

func TestADeviceGetsNothingOfAFolderThatItDoesNotShare(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	a.shares(photos) // with nobody
	a.write("secret", "content")
	b.shares(photos, a)
	a.knows(b)
	b.knows(a)
	a.scanned()
	b.awaitConnected(a, true)
	rec, _, err := a.folder(photos).index.Local(path("secret"))
	must(t, err)
	b.await("a says what it shares and answers a request", func(status.Snapshot) bool {
		p := b.peer(a.id)
		if p == nil || p.Shares() == nil {
			return false
		}
		if shares := p.Shares(); len(shares) != 0 {
			t.Errorf("it was told of %+v", shares)
		}
		code, err := ask(p, &bep.Request{Folder: photos, Name: rec.Name, Size: int32(rec.Size), Hash: rec.Blocks[0].Hash[:]})
		if err == nil && code == bep.CodeOK {
			t.Error("the request was granted")
		}
		return err == nil // else two dials crossed, and this connection was the one to go
	})
	if need, err := a.folder(photos).index.Remotes(); err != nil || len(need) != 0 {
		t.Errorf("the index of %v was taken, error %v", need, err)
	}
}

// ask asks a device for a block and gives the code of its answer.
func ask(p *peer.Peer, req *bep.Request) (bep.ErrorCode, error) {
	type outcome struct {
		code bep.ErrorCode
		err  error
	}
	answer := make(chan outcome, 1)
	p.Request(req, func(r *bep.Response, err error) {
		if err != nil {
			answer <- outcome{err: err}
			return
		}
		answer <- outcome{code: r.Code}
	})
	o := <-answer
	return o.code, o.err
}

func TestUnsharingForgetsTheDevice(t *testing.T) {
	a, b := connectedPair(t)
	b.write("theirs", "of b")
	b.scanned()
	a.awaitFile("theirs", "of b")
	a.shares(photos) // with nobody any more
	a.await("b is forgotten", func(s status.Snapshot) bool {
		remotes, err := a.folder(photos).index.Remotes()
		return err == nil && len(remotes) == 0 && len(a.folderOf(s).Devices) == 0
	})
	a.write("later", "not for b")
	a.scanned()
	if !a.deviceOf(a.Snapshot(), b).Connected {
		t.Error("unsharing a folder ended the connection")
	}
	a.shares(photos, b)
	a.inSync(b)
	b.awaitFile("later", "not for b")
}

func TestAFolderThatIsRemovedIsForgottenAndItsFilesStay(t *testing.T) {
	a, b := connectedPair(t)
	a.write("mine", "content")
	a.scanned()
	a.inSync(b)
	a.want(func(d *Desired) { d.Folders = nil })
	a.await("no folder", func(s status.Snapshot) bool { return len(s.Folders) == 0 && a.folder(photos) == nil })
	if got, err := os.ReadFile(a.path("mine")); err != nil || string(got) != "content" {
		t.Errorf("the file holds %q, error %v", got, err)
	}
	a.shares(photos, b)
	a.inSync(b)
	if got, err := os.ReadFile(b.path("mine")); err != nil || string(got) != "content" {
		t.Errorf("there the file holds %q, error %v", got, err)
	}
}

func TestAPausedFolderNeitherGivesNorTakes(t *testing.T) {
	a, b := connectedPair(t)
	a.inSync(b)
	pause := func(yes bool) { a.want(func(d *Desired) { d.Folders[0].Paused = yes }) }
	pause(true)
	a.await("paused", func(s status.Snapshot) bool { return a.folderOf(s).State == status.Paused })
	b.await("it hears of the pause", func(status.Snapshot) bool {
		p := b.peer(a.id)
		return p != nil && len(p.Shares()) == 1 && p.Shares()[0].Stopped
	})
	b.write("while paused", "content")
	b.scanned()
	if err := a.Scan(t.Context(), photos, nil); fault.CodeOf(err) != "paused-by-you" {
		t.Errorf("a scan of a paused folder gave %v", err)
	}
	if w := a.why("while paused"); w.Code != "paused-by-you" {
		t.Errorf("why: %+v", w)
	}
	if _, err := os.Stat(a.path("while paused")); err == nil {
		t.Error("a paused folder took a file")
	}
	if !a.deviceOf(a.Snapshot(), b).Connected {
		t.Error("pausing a folder ended the connection")
	}
	pause(false)
	a.awaitFile("while paused", "content")
}

func TestAPausedDeviceIsNotConnected(t *testing.T) {
	a, b := connectedPair(t)
	pause := func(yes bool) { a.want(func(d *Desired) { d.Devices[0].Paused = yes }) }
	pause(true)
	a.awaitConnected(b, false)
	b.awaitConnected(a, false)
	if offers := a.Snapshot().Offers; len(offers) != 0 {
		t.Errorf("a paused device is offered: %+v", offers)
	}
	pause(false)
	a.awaitConnected(b, true)
}

func TestBytesAreCountedAcrossConnections(t *testing.T) {
	a, b := connectedPair(t)
	a.write("hello", strings.Repeat("from a ", 10_000))
	a.scanned()
	a.inSync(b)
	count := func() (in, out int64) {
		d := a.deviceOf(a.Snapshot(), b)
		return d.InBytes, d.OutBytes
	}
	in, out := count()
	pause := func(yes bool) { a.want(func(d *Desired) { d.Devices[0].Paused = yes }) }
	pause(true)
	a.awaitConnected(b, false)
	if i, o := count(); i < in || o < out {
		t.Errorf("after the connection %d bytes came and %d went, before its end it were %d and %d", i, o, in, out)
	}
	pause(false)
	a.awaitConnected(b, true)
	a.await("the bytes of both connections", func(status.Snapshot) bool {
		i, o := count()
		return i > in && o > out
	})
}

func TestADeviceThatIsRemovedIsDisconnected(t *testing.T) {
	a, b := connectedPair(t)
	a.want(func(d *Desired) { d.Devices = nil })
	b.awaitConnected(a, false)
	a.await("it is gone", func(s status.Snapshot) bool { return len(s.Devices) == 0 && a.peer(b.id) == nil })
}

func TestWaitNamesWhatIsMissing(t *testing.T) {
	a, b := newNode(t, "a"), newNode(t, "b")
	a.shares(photos, b)
	a.scanned()
	reasons := func(dev device.ID) string {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		must(t, a.settleTurn(t.Context()))
		missing, err := a.Wait(ctx, nil, dev)
		if err != nil {
			missing = a.missing(a.Snapshot(), nil, dev) // the turn came after the end
		}
		var out []string
		for _, m := range missing {
			out = append(out, m.Reason)
		}
		return strings.Join(out, "; ")
	}
	if got := reasons(device.ID{}); got != "no device that shares it is connected" {
		t.Errorf("alone: %q", got)
	}
	a.knows(b)
	b.knows(a)
	a.awaitConnected(b, true)
	if got := reasons(b.id); !strings.Contains(got, "does not share the folder back") {
		t.Errorf("with a device that does not share it: %q", got)
	}
	if _, err := a.Wait(t.Context(), []bep.FolderID{"no such"}, device.ID{}); err == nil {
		t.Error("waiting for a folder that does not exist gave no error")
	}
	b.shares(photos, a)
	a.inSync(b)
	b.stop()
	a.awaitConnected(b, false)
	if got := reasons(b.id); got != "it is not connected" {
		t.Errorf("with a device that is away: %q", got)
	}
}

func TestWhyTellsTheCause(t *testing.T) {
	a, b := connectedPair(t)
	a.write("both", "content")
	a.write(".stignore", "private\n")
	a.scanned()
	a.inSync(b)
	if w := a.why("both"); !w.InSync || w.Local != "file" {
		t.Errorf("in sync: %+v", w)
	}
	if w := a.why("private"); w.Local != "ignored" {
		t.Errorf("ignored: %+v", w)
	}
	if w := a.why("never"); w.Local != "absent" || w.InSync {
		t.Errorf("unknown: %+v", w)
	}
	b.stop()
	a.awaitConnected(b, false)
	a.write("later", "content")
	a.scanned()
	if w := a.why("later"); w.InSync || w.Code != "device-out-of-reach" || len(w.Lacking) != 1 || !strings.Contains(w.Lacking[0], "b") {
		t.Errorf("not there yet: %+v", w)
	}
}

func TestAStoppedFolderShowsItsProblem(t *testing.T) {
	a := newNode(t, "a")
	a.shares(photos)
	a.scanned()
	must(t, os.RemoveAll(a.path(".stfolder")))
	if err := a.Scan(t.Context(), photos, nil); fault.CodeOf(err) != "folder-unmarked" {
		t.Errorf("the scan gave %v", err)
	}
	a.await("stopped", func(s status.Snapshot) bool {
		f := a.folderOf(s)
		return f.State == status.Stopped && f.Problem != nil && f.Problem.Code == "folder-unmarked"
	})
}
