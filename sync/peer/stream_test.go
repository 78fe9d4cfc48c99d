package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/device"
	"lanyard/sync/exec"
	"lanyard/sync/fault"
	"lanyard/sync/relpath"
	"lanyard/sync/transport"
)

// pipeConn is a transport.Conn over a net.Pipe, which holds no bytes: what one
// side writes waits until the other reads it.
type pipeConn struct {
	net.Conn
	peer device.ID
	once sync.Once
	done chan struct{} // closed by CloseWith of either end
	far  *pipeConn

	extended bool // of both ends
}

func newPipe() (ours, theirs *pipeConn) {
	a, b := net.Pipe()
	ours = &pipeConn{Conn: a, peer: theirID, done: make(chan struct{})}
	theirs = &pipeConn{Conn: b, peer: ourID, done: make(chan struct{})}
	ours.far, theirs.far = theirs, ours
	return ours, theirs
}

func (c *pipeConn) PeerID() device.ID               { return c.peer }
func (c *pipeConn) PeerName() string                { return device.CommonName }
func (c *pipeConn) Extended() bool                  { return c.extended }
func (c *pipeConn) Dialed() bool                    { return false }
func (c *pipeConn) LocalAddress() string            { return "pipe://near" }
func (c *pipeConn) RemoteAddress() string           { return "pipe://far" }
func (c *pipeConn) Done() <-chan struct{}           { return c.done }
func (c *pipeConn) EndCode() (transport.Code, bool) { return 0, false }

func (c *pipeConn) CloseWith(transport.Code, string) error {
	c.once.Do(func() {
		close(c.done)
		c.far.once.Do(func() { close(c.far.done) })
	})
	return c.Close()
}

// fakeHost answers at once, except where a test holds it.
type fakeHost struct {
	mu     sync.Mutex
	files  []bep.FileInfo // our index
	stored []bep.FileInfo
	resets int
	shares [][]RemoteFolder
	ended  []error
	hold   chan struct{} // while not nil, Answer, ResetIndex and StoreIndex wait until it is closed
	fail   error         // of StoreIndex
	told   []string      // bodies of extension messages
}

func (h *fakeHost) IndexPage(_ bep.FolderID, after int64) ([]bep.FileInfo, int64, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []bep.FileInfo
	for _, f := range h.files {
		if f.Sequence > after {
			out = append(out, f)
			after = f.Sequence
		}
	}
	return out, after, false, nil
}

func (h *fakeHost) ResetIndex(device.ID, bep.FolderID, bep.IndexID) error {
	h.wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.resets++
	h.stored = nil
	return nil
}

func (h *fakeHost) wait() {
	h.mu.Lock()
	hold := h.hold
	h.mu.Unlock()
	if hold != nil {
		<-hold
	}
}

func (h *fakeHost) StoreIndex(_ device.ID, m *bep.Index) error {
	h.wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stored = append(h.stored, m.Files...)
	return h.fail
}

func (h *fakeHost) WentBack(*Peer, WentBack) error { return nil }

func (h *fakeHost) Told(_ *Peer, m *bep.Extension) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, string(m.Body))
	if string(m.Body) == "nonsense" {
		return fault.New(fault.Peer, "", "nonsense")
	}
	return nil
}

func (h *fakeHost) Answer(_ device.ID, dst []byte, req *bep.Request) []byte {
	h.wait()
	dst, data := bep.AppendResponseHeader(dst, req.ID, bep.CodeOK, 5), "bytes"
	return append(dst, data...)
}

func (h *fakeHost) Shares(_ *Peer, folders []RemoteFolder) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.shares = append(h.shares, folders)
}

func (h *fakeHost) Ended(_ *Peer, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = append(h.ended, err)
}

func (h *fakeHost) end() []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// endpoint is one device of a test: a Peer that runs over a Stream.
type endpoint struct {
	host    *fakeHost
	conn    *pipeConn
	stream  *Stream
	peer    *Peer
	exec    *exec.Real
	stop    context.CancelFunc
	stopped chan error // of capacity 1: what Run returned
}

func start(t *testing.T, conn *pipeConn, self device.ID) *endpoint {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	e := &endpoint{
		host: &fakeHost{}, conn: conn, stream: NewStream(conn, nil), exec: &exec.Real{}, stop: cancel,
		stopped: make(chan error, 1),
	}
	buffers := bep.NewBuffers(0)
	e.peer = New(Options{Self: self, ID: conn.peer, Exec: e.exec, Host: e.host, Wire: e.stream, Extended: conn.extended, Release: buffers.Release})
	go func() { e.stopped <- e.stream.Run(ctx, e.peer, buffers) }()
	return e
}

// finish waits for the end of Run and of everything that it began.
func (e *endpoint) finish(t *testing.T) error {
	t.Helper()
	err := <-e.stopped
	synctest.Wait()
	e.stop()
	e.exec.Close()
	if n := len(e.host.end()); n != 1 {
		t.Errorf("Ended was told %d times, want once", n)
	}
	return err
}

func photos(self, other device.ID, sequence int64) []LocalFolder {
	return []LocalFolder{{ID: shared, IndexID: bep.IndexID(self[0]), Sequence: sequence, Devices: []bep.Device{{ID: other}}}}
}

// connectedPair is two endpoints that share a folder.
func connectedPair(t *testing.T) (ours, theirs *endpoint) {
	t.Helper()
	a, b := newPipe()
	ours, theirs = start(t, a, ourID), start(t, b, theirID)
	ours.host.files = []bep.FileInfo{directory("one", 1), directory("two", 2)}
	ours.peer.Configure(photos(ourID, theirID, 2))
	theirs.peer.Configure(photos(theirID, ourID, 0))
	synctest.Wait()
	return ours, theirs
}

func directory(name string, sequence int64) bep.FileInfo {
	return bep.FileInfo{Name: relpath.MustParse(name), Type: bep.TypeDirectory, Sequence: sequence, Permissions: 0o755}
}

func TestAConversationOverAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := connectedPair(t)
		if n := len(theirs.host.stored); n != 2 {
			t.Errorf("they hold %d of our 2 entries", n)
		}
		if owed, ok := ours.peer.Load(shared); owed != 0 || !ok {
			t.Errorf("load %d, %v before any request", owed, ok)
		}
		answer := make(chan string, 1)
		ours.peer.Request(&bep.Request{Folder: shared, Name: relpath.MustParse("f"), Size: 5, Hash: make([]byte, 32)}, func(r *bep.Response, err error) {
			if err != nil {
				t.Error(err)
			}
			answer <- string(r.Data)
		})
		if got := <-answer; got != "bytes" {
			t.Errorf("answer %q", got)
		}
		theirs.peer.Close("going home")
		if err := ours.finish(t); fault.KindOf(err) != fault.Retry {
			t.Errorf("Run ended with %v, want a fault that passes", err)
		}
		theirs.finish(t)
		if got := ours.host.end()[0]; got == nil || !strings.Contains(got.Error(), "going home") {
			t.Errorf("the reason given: %v", got)
		}
		ourIn, ourOut := ours.stream.Counts()
		theirIn, theirOut := theirs.stream.Counts()
		if ourIn != theirOut || theirIn != ourOut || ourIn == 0 || ourOut == 0 {
			t.Errorf("we read %d and wrote %d, they wrote %d and read %d", ourIn, ourOut, theirOut, theirIn)
		}
		if _, ok := ours.peer.Load(shared); ok {
			t.Error("a device that is gone can be asked")
		}
	})
}

func TestTheEndOfAConnectionFailsWhatWasAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := connectedPair(t)
		theirs.host.hold = make(chan struct{})
		var got []error
		ask := func() {
			ours.peer.Request(&bep.Request{Folder: shared, Name: relpath.MustParse("f"), Size: 5, Hash: make([]byte, 32)}, func(_ *bep.Response, err error) {
				got = append(got, err)
			})
		}
		ask()
		synctest.Wait()
		if owed, _ := ours.peer.Load(shared); owed != 1 {
			t.Errorf("they owe %d answers, want 1", owed)
		}
		ours.conn.CloseWith(transport.CodeNormal, "")
		synctest.Wait()
		ask()
		close(theirs.host.hold)
		ours.finish(t)
		theirs.finish(t)
		if len(got) != 2 || fault.KindOf(got[0]) != fault.Retry || fault.KindOf(got[1]) != fault.Retry {
			t.Errorf("outcomes %v, want two faults that pass", got)
		}
	})
}

func TestCancellingRunSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := connectedPair(t)
		begun := time.Now()
		ours.stop()
		ours.finish(t)
		theirs.finish(t)
		if got := theirs.host.end()[0]; got == nil || !strings.Contains(got.Error(), "shutting down") {
			t.Errorf("they were told %v", got)
		}
		if d := time.Since(begun); d > closeWait {
			t.Errorf("it took %v", d)
		}
	})
}

func TestARequestPastTheBudgetIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := connectedPair(t)
		ours.host.hold = make(chan struct{})
		const size, count = 16 << 20, 10
		answers := make(chan error, count)
		for range count {
			theirs.peer.Request(&bep.Request{Folder: shared, Name: relpath.MustParse("f"), Size: size, Hash: make([]byte, 32)}, func(_ *bep.Response, err error) {
				answers <- err
			})
		}
		synctest.Wait()
		if bytes, _ := ours.stream.holding(); bytes != maxHeldBytes {
			t.Errorf("we hold requests for %d bytes, want %d", bytes, int64(maxHeldBytes))
		}
		close(ours.host.hold)
		for range count {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if bytes, messages := ours.stream.holding(); bytes != 0 || messages != 0 {
			t.Errorf("after all was answered %d bytes in %d messages are held", bytes, messages)
		}
		ours.peer.Close("")
		ours.finish(t)
		theirs.finish(t)
	})
}

// holding is what the device sent and we have not dealt with.
func (s *Stream) holding() (bytes int64, messages int) {
	s.held.budget.mu.Lock()
	defer s.held.budget.mu.Unlock()
	return s.held.bytes, s.held.messages
}

func TestAConnectionEndsAlthoughItsBudgetIsSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := connectedPair(t)
		ours.host.hold = make(chan struct{})
		for n := range int64(maxHeldMessages + 10) {
			theirs.stream.Send(Frame{Message: &bep.Index{Folder: shared, Files: []bep.FileInfo{directory("d", n+1)}, Update: true}})
		}
		synctest.Wait()
		if _, messages := ours.stream.holding(); messages != maxHeldMessages {
			t.Errorf("we hold %d messages, want %d", messages, maxHeldMessages)
		}
		ours.stop()
		<-ours.conn.Done()
		err := <-ours.stopped
		ours.stopped <- err
		close(ours.host.hold)
		ours.finish(t)
		theirs.finish(t)
	})
}

func TestADeviceThatDoesNotReadDoesNotKeepUs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := newPipe()
		ours := start(t, conn, ourID)
		ours.peer.Configure(nil)
		synctest.Wait()
		begun := time.Now()
		ours.peer.Close("too slow")
		ours.finish(t)
		if d := time.Since(begun); d > 3*closeWait {
			t.Errorf("it kept us for %v", d)
		}
	})
}

func TestADeviceThatBreaksTheProtocolIsToldAndDropped(t *testing.T) {
	tests := []struct {
		name  string
		bytes []byte
		told  string
	}{
		{"a message of a size that no message has", []byte{0, 0, 0xff, 0xff, 0xff, 0xff}, "message"},
		{"a ping before the cluster configuration", []byte{0, 2, 8, 6, 0, 0, 0, 0}, "first message"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, far := newPipe()
				ours := start(t, conn, ourID)
				ours.peer.Configure(nil)
				told := make(chan string, 1)
				go func() { told <- readClose(far) }()
				if _, err := far.Write(tt.bytes); err != nil {
					t.Fatal(err)
				}
				ours.finish(t)
				if got := <-told; !strings.Contains(got, tt.told) {
					t.Errorf("told %q, want something with %q", got, tt.told)
				}
				if err := ours.host.end()[0]; fault.KindOf(err) != fault.Peer {
					t.Errorf("ended with %v, want the device's fault", err)
				}
			})
		})
	}
}

// readClose reads until a Close and gives its reason, "" where none comes.
func readClose(conn *pipeConn) string {
	r := bep.NewReader(conn, bep.ReaderOptions{})
	for {
		m, err := r.Next()
		if err != nil {
			return ""
		}
		if c, ok := m.(*bep.Close); ok {
			conn.CloseWith(transport.CodeNormal, "")
			return c.Reason
		}
	}
}

func TestAnIndexThatCannotBeStoredEndsTheConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPipe()
		ours, theirs := start(t, a, ourID), start(t, b, theirID)
		theirs.host.fail = fault.New(fault.Node, "index-broken", "the index cannot be written")
		ours.host.files = []bep.FileInfo{directory("one", 1)}
		ours.peer.Configure(photos(ourID, theirID, 1))
		theirs.peer.Configure(photos(theirID, ourID, 0))
		theirs.finish(t)
		ours.finish(t)
		if err := theirs.host.end()[0]; !errors.Is(err, theirs.host.fail) {
			t.Errorf("ended with %v, want %v", err, theirs.host.fail)
		}
	})
}

func TestGreet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe()
		defer ours.Close()
		defer theirs.Close()
		other := make(chan bep.Hello, 1)
		go func() {
			h, err := Greet(bufferedWrites{theirs}, bep.Hello{DeviceName: "their"})
			if err != nil {
				t.Error(err)
			}
			other <- h
		}()
		h, err := Greet(bufferedWrites{ours}, bep.Hello{DeviceName: "our"})
		if err != nil || h.DeviceName != "their" {
			t.Errorf("%+v, %v", h, err)
		}
		if h := <-other; h.DeviceName != "our" {
			t.Errorf("%+v", h)
		}
	})
}

func TestGreetGivesUpOnADeviceThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := newPipe()
		defer ours.Close()
		defer theirs.Close()
		go io.Copy(io.Discard, theirs)
		begun := time.Now()
		if _, err := Greet(ours, bep.Hello{}); err == nil {
			t.Error("no error")
		}
		if d := time.Since(begun); d != helloTimeout {
			t.Errorf("after %v, want %v", d, helloTimeout)
		}
	})
}

// bufferedWrites writes as a socket does: without waiting for the reader.
type bufferedWrites struct{ *pipeConn }

func (c bufferedWrites) Write(b []byte) (int, error) {
	b = append([]byte(nil), b...)
	go c.pipeConn.Write(b)
	return len(b), nil
}

func TestAnIndexCountsAsHeldBeforeItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := connectedPair(t)
		ours.host.hold = make(chan struct{})
		large := &bep.Index{Folder: shared, Update: true}
		for n := range int64(200) {
			f := bep.FileInfo{Name: relpath.MustParse(strings.Repeat("x", int(n)+1)), Sequence: n + 1, Size: 700 * block.MinSize, BlockSize: block.MinSize}
			for i := range int64(700) {
				f.Blocks = append(f.Blocks, block.Info{Offset: i * block.MinSize, Size: block.MinSize})
			}
			large.Files = append(large.Files, f)
		}
		for range 20 {
			theirs.stream.Send(Frame{Message: large})
		}
		synctest.Wait()
		if bytes, messages := ours.stream.holding(); bytes > maxHeldBytes || messages < 2 || messages == 20 {
			t.Errorf("we hold %d bytes in %d messages, want at most %d bytes", bytes, messages, maxHeldBytes)
		}
		ours.peer.Close("")
		close(ours.host.hold)
		ours.finish(t)
		theirs.finish(t)
	})
}

func TestDevicesShareOneBudgetAndNoneIsStarved(t *testing.T) {
	budget := NewBudget()
	full := maxHeldTotal / maxHeldBytes
	all := make([]held, full+1)
	for i := range all {
		all[i].budget = budget
	}
	for i := range full {
		if !all[i].take(maxHeldBytes) {
			t.Fatal("a device got nothing")
		}
	}
	last := &all[full]
	if !last.take(maxHeldBytes) {
		t.Fatal("the first message of a device did not fit")
	}
	if last.fits(1) {
		t.Error("a device may hold more than its share while all is taken")
	}
	last.give(maxHeldBytes)
	for range maxHeldAnyway / (64 << 10) {
		if !last.fits(64<<10) || !last.take(64<<10) {
			t.Fatal("a device was starved by the others")
		}
	}
	if last.fits(64 << 10) {
		t.Error("what one device may hold anyway has no end")
	}
	all[0].give(maxHeldBytes)
	if !last.fits(64 << 10) {
		t.Error("what was given back cannot be had")
	}
}

// rawPeer is the far end of a connection, for a test that writes bytes.
func rawPeer(t *testing.T) (ours *endpoint, far *pipeConn) {
	t.Helper()
	near, far := newPipe()
	ours = start(t, near, ourID)
	ours.peer.Configure(nil)
	go io.Copy(io.Discard, far)
	if _, err := far.Write(make([]byte, 6)); err != nil { // an empty ClusterConfig
		t.Fatal(err)
	}
	synctest.Wait()
	return ours, far
}

func TestAMessageThatTricklesInEndsTheConnection(t *testing.T) {
	tests := []struct {
		name  string
		piece int // bytes a second
		ends  bool
	}{
		{"a byte a second", 1, true},
		{"a little less than 16 KiB a second", 15 << 10, true},
		{"a little more", 17 << 10, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, far := rawPeer(t)
				if _, err := far.Write([]byte("\x00\x02\x08\x63\x00\x20\x00\x00")); err != nil { // 2 MiB of an unknown type
					t.Fatal(err)
				}
				begun := time.Now()
				for left := 2 << 20; left > 0; left -= tt.piece {
					if _, err := far.Write(make([]byte, min(left, tt.piece))); err != nil {
						break
					}
					<-time.After(time.Second)
				}
				select {
				case <-far.done:
					if !tt.ends {
						t.Errorf("the connection ended after %v", time.Since(begun))
					}
					if d := time.Since(begun); d > paceWindow+2*time.Second {
						t.Errorf("it took %v", d)
					}
				default:
					if tt.ends {
						t.Error("the connection holds")
					}
				}
				ours.peer.Close("")
				if err := ours.finish(t); tt.ends && err != errTooSlow {
					t.Errorf("it ended with %v", err)
				}
			})
		})
	}
}

func TestNobodyIsTooSlowBetweenMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, far := rawPeer(t)
		for range 10 {
			if _, err := far.Write([]byte("\x00\x02\x08\x63\x00\x00\x00\x00")); err != nil {
				t.Fatal(err)
			}
			<-time.After(2 * paceWindow / 3)
		}
		ours.peer.Close("")
		if err := ours.finish(t); err == errTooSlow {
			t.Error(err)
		}
	})
}

func TestADeviceThatStopsReadingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := newPipe()
		ours := start(t, conn, ourID)
		ours.stream.Send(Frame{Message: &bep.Ping{}})
		begun := time.Now()
		<-conn.done
		if d := time.Since(begun); d != writePatience {
			t.Errorf("it was given up after %v, want %v", d, writePatience)
		}
		ours.finish(t)
	})
}
