package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lanyard/app/config"
	"lanyard/app/pairing"
	"lanyard/sync/device"
	"lanyard/sync/fault"
	"lanyard/sync/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a network in memory: who listens at which address.
type world struct {
	mu      sync.Mutex
	n       int
	devices map[string]*computer
}

// computer is a device of a test.
type computer struct {
	t       *testing.T
	world   *world
	home    config.Home
	address string
	store   *config.Store
	desk    *Desk
	log     *bytes.Buffer
	conns   chan Conn
	stop    func()
	met     map[device.ID]string
	lag     time.Duration // of its dials
	next    Conn          // what its next dial leads to, wherever that goes
}

func newWorld() *world { return &world{devices: map[string]*computer{}} }

// computer starts a device with a name.
func (w *world) computer(t *testing.T, name string) *computer {
	t.Helper()
	home, err := config.NewHome(filepath.Join(t.TempDir(), "home"))
	must(t, err)
	w.n++
	c := &computer{
		t: t, world: w, home: home, address: fmt.Sprintf("quic://192.168.7.%d:22000", w.n),
		log: &bytes.Buffer{}, met: map[device.ID]string{},
	}
	c.start()
	must(t, c.store.Update(func(cfg config.Config) (config.Config, error) { cfg.Name = name; return cfg, nil }))
	t.Cleanup(func() { c.crash() })
	return c
}

func (c *computer) start() {
	c.t.Helper()
	var err error
	c.store, err = config.Open(c.home, time.Now())
	must(c.t, err)
	c.conns = make(chan Conn)
	c.desk = New(Options{
		Store: c.store, Interfaces: func() []netip.Addr { return nil },
		Log: slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- c.desk.Run(ctx, c) }()
	c.world.mu.Lock()
	c.world.devices[c.address] = c
	c.world.mu.Unlock()
	c.until("it runs", func(status.Pairing) bool { _, _, err := c.desk.network(); return err == nil })
	c.stop = func() {
		cancel()
		<-ended
		must(c.t, c.store.Close())
	}
}

// crash ends the device, which forgets all that is not stored.
func (c *computer) crash() {
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
}

func (c *computer) id() device.ID { return c.store.Identity().ID }

// The computer is its own Network.

func (c *computer) Accept(ctx context.Context) (Conn, error) {
	select {
	case conn := <-c.conns:
		return conn, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

var errUnreachable = fault.New(fault.Retry, "", "nobody there")

func (c *computer) Dial(ctx context.Context, address string, want device.ID) (Conn, error) {
	select {
	case <-time.After(c.lag):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c.world.mu.Lock()
	if next := c.next; next != nil {
		c.next = nil
		c.world.mu.Unlock()
		return next, nil
	}
	other := c.world.devices[address]
	c.world.mu.Unlock()
	switch {
	case other == nil || !want.IsZero() && other.id() != want:
		return nil, errUnreachable
	case !other.desk.Pairing():
		return nil, ErrNotWanted
	}
	mine, theirs := pipe(c.id(), c.address, other.id(), other.address)
	select {
	case other.conns <- theirs:
		return mine, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (c *computer) Addresses() []string { return []string{c.address} }

func (c *computer) Met(dev device.ID, address string) {
	c.world.mu.Lock()
	defer c.world.mu.Unlock()
	c.met[dev] = address
}

// end is one end of a connection in memory.
type end struct {
	net.Conn
	peer    device.ID
	address string
	key     [32]byte
}

var pipes struct {
	sync.Mutex
	n uint64
}

func pipe(a device.ID, atA string, b device.ID, atB string) (endA, endB *end) {
	pipes.Lock()
	pipes.n++
	key := sha256.Sum256(fmt.Append(nil, pipes.n))
	pipes.Unlock()
	connA, connB := net.Pipe()
	return &end{Conn: connA, peer: b, address: atB, key: key}, &end{Conn: connB, peer: a, address: atA, key: key}
}

func (e *end) PeerID() device.ID     { return e.peer }
func (e *end) RemoteAddress() string { return e.address }
func (e *end) Host() netip.Addr {
	return netip.MustParseAddrPort(strings.TrimPrefix(e.address, "quic://")).Addr()
}
func (e *end) End() { e.Conn.Close() }
func (e *end) Binding(label string) ([32]byte, error) {
	return sha256.Sum256(append(e.key[:], label...)), nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for a state.
func (c *computer) until(what string, is func(status.Pairing) bool) status.Pairing {
	c.t.Helper()
	limit := time.After(time.Hour)
	for {
		next := c.desk.Changed()
		s, _ := c.desk.Snapshot()
		if is(s) {
			return s
		}
		select {
		case <-next:
		case <-time.After(time.Second): // what is not told of
		case <-limit:
			c.t.Logf("log: %s", c.log.String())
			c.t.Fatalf("waited for %q: %+v", what, s)
		}
	}
}

// last gives the last run once it is in a state.
func (c *computer) last(state status.PairingState) status.PairingRun {
	c.t.Helper()
	s := c.until(string(state), func(s status.Pairing) bool {
		return len(s.Runs) > 0 && s.Runs[len(s.Runs)-1].State == state
	})
	return s.Runs[len(s.Runs)-1]
}

// peers lists the devices that it knows.
func (c *computer) peers() []device.ID {
	var out []device.ID
	for _, d := range c.store.Config().Devices {
		out = append(out, d.ID)
	}
	return out
}

func (c *computer) knows(other *computer) bool {
	d, err := c.store.Config().FindDevice(other.id().String())
	return err == nil && d.ID == other.id()
}

// invite opens an invitation.
func (c *computer) invite(yes bool) Invitation {
	c.t.Helper()
	inv, err := c.desk.Invite(yes)
	must(c.t, err)
	return inv
}

// take begins to use one.
func (c *computer) take(inv Invitation) {
	c.t.Helper()
	_, err := c.desk.Accept(inv.Link, nil, status.ByPicture)
	must(c.t, err)
}

// together runs a test in a bubble of virtual time.
func together(t *testing.T, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) { test(t, newWorld()) })
}

func TestALinkMakesTwoDevicesPeers(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "Anna's laptop"), w.computer(t, "Bert's desk")
		b.take(a.invite(false))
		asked := a.last(status.PairingAsks)
		waits := b.last(status.PairingWaits)
		if asked.Digits == "" || asked.Digits != waits.Digits || asked.Name != "Bert's desk" || asked.Device != b.id().String() {
			t.Errorf("asked about %+v, and the other side shows %q", asked, waits.Digits)
		}
		if len(a.peers()) > 0 || len(b.peers()) > 0 {
			t.Error("somebody is a peer before our person has answered")
		}
		_, err := a.desk.Answer(asked.ID, true, "")
		must(t, err)
		a.last(status.PairingDone)
		b.last(status.PairingDone)
		for c, how := range map[*computer]status.PairingMethod{a: status.ByCode, b: status.ByPicture} {
			d := c.store.Config().Devices
			if len(d) != 1 || d[0].Paired != how || d[0].Since.IsZero() || len(c.store.Config().Pending) > 0 {
				t.Errorf("stored %+v", c.store.Config())
			}
		}
		if !a.knows(b) || !b.knows(a) || a.store.Config().Devices[0].Name != "Bert's desk" {
			t.Error("they do not know each other")
		}
		if a.met[b.id()] != b.address || b.met[a.id()] != a.address {
			t.Errorf("they met at %v and %v", a.met, b.met)
		}
		if s, _ := a.desk.Snapshot(); s.Invitation == nil || s.Invitation.State != status.InvitationUsed {
			t.Errorf("the invitation is %+v", s.Invitation)
		}
	})
}

func TestTheAnswerMayBeGivenInAdvance(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "a"), w.computer(t, "b")
		b.take(a.invite(true))
		a.last(status.PairingDone)
		b.last(status.PairingDone)
		if !a.knows(b) || !b.knows(a) {
			t.Error("they do not know each other")
		}
	})
}

func TestWhoeverIsDeclinedIsNotStored(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "a"), w.computer(t, "b")
		b.take(a.invite(false))
		_, err := a.desk.Answer(a.last(status.PairingAsks).ID, false, "")
		must(t, err)
		a.last(status.PairingFailed)
		if got := b.last(status.PairingFailed).Problem; got == nil || got.Code != "pairing-declined" {
			t.Errorf("the other side is told %+v", got)
		}
		if len(a.peers())+len(b.peers())+len(a.store.Config().Pending) > 0 {
			t.Error("somebody was stored")
		}
	})
}

func TestNobodyIsStoredWhereNobodyAnswers(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "a"), w.computer(t, "b")
		began := time.Now()
		b.take(a.invite(false))
		a.last(status.PairingFailed)
		b.last(status.PairingFailed)
		if took := time.Since(began); took > answerWithin+findWithin {
			t.Errorf("it took %v", took)
		}
		if len(a.peers())+len(b.peers()) > 0 {
			t.Error("somebody was stored")
		}
	})
}

func TestAnInvitationIsWorthNothingOnceItIsOver(t *testing.T) {
	for what, over := range map[string]func(a *computer, inv Invitation){
		"closed":    func(a *computer, inv Invitation) { a.desk.CloseInvitation(inv.ID) },
		"replaced":  func(a *computer, _ Invitation) { a.invite(true) },
		"expired":   func(*computer, Invitation) { <-time.After(pairing.Lifetime) },
		"long over": func(*computer, Invitation) { <-time.After(time.Hour) },
		"a crash":   func(a *computer, _ Invitation) { a.crash(); a.start() },
		"a crash, and another one": func(a *computer, _ Invitation) {
			a.crash()
			a.start()
			a.invite(true)
		},
	} {
		t.Run(what, func(t *testing.T) {
			together(t, func(t *testing.T, w *world) {
				a, b := w.computer(t, "a"), w.computer(t, "b")
				inv := a.invite(true)
				over(a, inv)
				b.take(inv)
				failed := b.last(status.PairingFailed)
				if what == "expired" && (failed.Problem.Code != "code-expired" || !a.desk.Pairing()) {
					t.Errorf("the other side is told %+v", failed.Problem)
				}
				if what == "long over" && (failed.Problem.Code != "code-expired" || a.desk.Pairing()) {
					t.Errorf("the other side is told %+v", failed.Problem)
				}
				if len(a.peers())+len(b.peers()) > 0 {
					t.Error("somebody was stored")
				}
			})
		})
	}
}

func TestACodeThatIsUsedTwiceIsToldOf(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b, c := w.computer(t, "a"), w.computer(t, "b"), w.computer(t, "c")
		inv := a.invite(false)
		b.take(inv)
		asked := a.last(status.PairingAsks)
		c.take(inv)
		if got := c.last(status.PairingFailed).Problem.Code; got != "code-used-twice" {
			t.Errorf("the second one is told %q", got)
		}
		if _, problems := a.desk.Snapshot(); len(problems) != 1 || problems[0].Code != "code-used-twice" {
			t.Errorf("our person is told %+v", problems)
		}
		// The first one may still be the right one.
		_, err := a.desk.Answer(asked.ID, true, "")
		must(t, err)
		a.last(status.PairingDone)
		b.last(status.PairingDone)
		if !a.knows(b) || a.knows(c) || c.knows(a) {
			t.Errorf("stored %v, %v, %v", a.peers(), b.peers(), c.peers())
		}
		// A crash later it is as useless as before.
		a.crash()
		a.start()
		c.take(inv)
		c.last(status.PairingFailed)
		if a.knows(c) || c.knows(a) {
			t.Error("after a crash the code works again")
		}
	})
}

func TestTwoWhoTakeOneCodeAtOnceAreNotBothPaired(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b, c := w.computer(t, "a"), w.computer(t, "b"), w.computer(t, "c")
		inv := a.invite(true)
		b.take(inv)
		c.take(inv)
		over := func(s status.Pairing) bool {
			return len(s.Runs) == 1 && (s.Runs[0].State == status.PairingDone || s.Runs[0].State == status.PairingFailed)
		}
		b.until("the end", over)
		c.until("the end", over)
		a.last(status.PairingDone)
		if len(a.peers()) != 1 || len(b.peers())+len(c.peers()) != 1 {
			t.Errorf("stored %v, %v, %v", a.peers(), b.peers(), c.peers())
		}
	})
}

// stranger connects to a device without keeping to anything.
func (w *world) stranger(t *testing.T, to *computer, from string) *end {
	t.Helper()
	mine, theirs := pipe(device.ID(sha256.Sum256([]byte(from))), from, to.id(), to.address)
	to.conns <- theirs
	return mine
}

func TestJunkDoesNotKeepARightOneOut(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "a"), w.computer(t, "b")
		inv := a.invite(true)
		var junk sync.WaitGroup
		for i := range 300 {
			conn := w.stranger(t, a, fmt.Sprintf("quic://10.0.%d.%d:1", i/250, i%250+1))
			junk.Go(func() {
				body := make([]byte, 200)
				body[0] = byte(i % 4)
				_, _ = conn.Write(body)
				_, _ = io.Copy(io.Discard, conn)
			})
		}
		b.take(inv)
		b.last(status.PairingDone)
		a.last(status.PairingDone)
		junk.Wait() // each is ended by the other side
		if !a.knows(b) || len(a.peers()) != 1 {
			t.Errorf("stored %v", a.peers())
		}
		if s, _ := a.desk.Snapshot(); len(s.Runs) != 1 {
			t.Errorf("junk is shown: %+v", s.Runs)
		}
	})
}

func TestOneAddressMayTryFiveTimesAMinute(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a := w.computer(t, "a")
		a.invite(true)
		read := 0
		for range 20 {
			conn := w.stranger(t, a, "quic://10.0.0.1:1")
			if _, err := conn.Write([]byte{1}); err == nil {
				read++
			}
			conn.Close()
		}
		if read != 5 {
			t.Errorf("%d of 20 tries were listened to, want 5", read)
		}
	})
}

func TestWhoeverProvesNothingIsGoneAfterTenSeconds(t *testing.T) {
	for name, says := range map[string][]byte{
		"nothing": nil, "half a hello": {1, 2, 3}, "half a commitment": {4, 2, 3}, "something else": {9},
	} {
		t.Run(name, func(t *testing.T) {
			together(t, func(t *testing.T, w *world) {
				a := w.computer(t, "a")
				a.invite(true)
				must(t, a.desk.OpenPane())
				conn := w.stranger(t, a, "quic://10.0.0.1:1")
				began := time.Now()
				go func() { _, _ = conn.Write(says) }()
				_, _ = io.Copy(io.Discard, conn)
				if took := time.Since(began); took > 2*proofWithin {
					t.Errorf("it could stay for %v", took)
				}
				if s, _ := a.desk.Snapshot(); len(s.Runs) > 0 {
					t.Errorf("it is shown: %+v", s.Runs)
				}
			})
		})
	}
}

func TestADeviceThatIsPendingIsNoPeer(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a := w.computer(t, "a")
		inv := a.invite(true)
		// A taker that goes away after the answer.
		conn := w.stranger(t, a, "quic://10.0.0.1:1")
		parsed, err := pairing.ParseInvitation(inv.Link)
		must(t, err)
		taker := device.ID(sha256.Sum256([]byte("quic://10.0.0.1:1")))
		key, _ := conn.Binding(pairing.LabelInvitation)
		m, err := pairing.NewTaker(pairing.Channel{Self: taker, Peer: a.id(), Binding: key}, parsed, "gone")
		must(t, err)
		away := errors.New("a power cut")
		err = pairing.Run(t.Context(), conn, m, pairing.Host{Save: func(pairing.Save) error { conn.Close(); return away }})
		if err == nil {
			t.Fatal("the taker has not gone")
		}
		a.last(status.PairingFailed)
		for range 2 { // also after a crash
			if c := a.store.Config(); len(c.Devices) > 0 || len(c.Pending) != 1 || c.Pending[0].ID != taker {
				t.Errorf("stored %+v", c)
			}
			a.crash()
			a.start()
		}
		<-time.After(pairing.PendingFor + time.Minute)
		synctest.Wait()
		if got := a.store.Config().Pending; len(got) > 0 {
			t.Errorf("ten minutes later it is still pending: %+v", got)
		}
	})
}

func TestTheSecretIsInNoLogNoStateAndNoFile(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b, c := w.computer(t, "a"), w.computer(t, "b"), w.computer(t, "c")
		inv := a.invite(false)
		b.take(inv)
		asked := a.last(status.PairingAsks)
		c.take(inv)
		c.last(status.PairingFailed)
		_, err := a.desk.Answer(asked.ID, true, "")
		must(t, err)
		b.last(status.PairingDone)
		a.last(status.PairingDone)
		parsed, err := pairing.ParseInvitation(inv.Link)
		must(t, err)
		raw := [16]byte(parsed.Secret)
		_, body, _ := strings.Cut(inv.Link, "#")
		for _, d := range []*computer{a, b, c} {
			snap, problems := d.desk.Snapshot()
			state, err := json.Marshal([]any{snap, problems})
			must(t, err)
			d.crash() // its log is whole
			texts := map[string]string{"state": string(state), "log": d.log.String()}
			must(t, filepath.WalkDir(d.home.Dir(), func(path string, e os.DirEntry, err error) error {
				if err != nil || !e.Type().IsRegular() {
					return err
				}
				text, err := os.ReadFile(path)
				texts[path] = string(text)
				return err
			}))
			for where, text := range texts {
				for _, secret := range []string{body, body[54:80], fmt.Sprintf("%x", raw), fmt.Sprint(raw), string(raw[:])} {
					if strings.Contains(strings.ToUpper(text), strings.ToUpper(secret)) {
						t.Errorf("the secret is in %s", where)
					}
				}
			}
			if !strings.Contains(d.log.String(), "paired") {
				t.Error("the log tells nothing at all")
			}
		}
	})
}

// nearby shows devices to each other.
func nearby(devices ...*computer) {
	for _, c := range devices {
		var list []Neighbour
		for _, o := range devices {
			if a := o.desk.Announced(); o != c && (a.Open || a.Beacon != nil) {
				list = append(list, Neighbour{Key: o.address, Name: a.Name, Addresses: []string{o.address}, Beacon: a.Beacon})
			}
		}
		c.desk.Found(list)
	}
}

func TestSixDigitsMakeTwoDevicesPeers(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "a"), w.computer(t, "b")
		must(t, a.desk.OpenPane())
		must(t, b.desk.OpenPane())
		nearby(a, b)
		_, err := b.desk.Choose("a")
		must(t, err)
		atA, atB := a.last(status.PairingAsks), b.last(status.PairingAsks)
		if atA.Digits == "" || atA.Digits != atB.Digits || atA.Began || !atB.Began || len(atB.Choices) != 3 {
			t.Errorf("asked %+v and %+v", atA, atB)
		}
		_, err = a.desk.Answer(atA.ID, true, "")
		must(t, err)
		synctest.Wait()
		if len(a.peers())+len(b.peers())+len(a.store.Config().Pending) > 0 {
			t.Error("somebody was stored before both agreed")
		}
		_, err = b.desk.Answer(atB.ID, true, "")
		must(t, err)
		a.last(status.PairingDone)
		b.last(status.PairingDone)
		if !a.knows(b) || !b.knows(a) || a.store.Config().Devices[0].Paired != status.ByNumber {
			t.Errorf("stored %+v and %+v", a.store.Config().Devices, b.store.Config().Devices)
		}
		if a.store.Config().ByNumber.Runs != 1 || b.store.Config().ByNumber.Runs != 1 {
			t.Error("the run was not counted")
		}
	})
}

func TestNumbersThatDifferConnectNobody(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "a"), w.computer(t, "b")
		must(t, a.desk.OpenPane())
		must(t, b.desk.OpenPane())
		nearby(a, b)
		for range 3 {
			must(t, a.desk.OpenPane())
			must(t, b.desk.OpenPane())
			_, err := b.desk.Choose("a")
			must(t, err)
			atA := a.last(status.PairingAsks)
			_, err = a.desk.Answer(atA.ID, false, "")
			must(t, err)
			for _, c := range []*computer{a, b} {
				if got := c.last(status.PairingFailed).Problem.Code; got != "digits-differ" {
					t.Errorf("it ended with %q", got)
				}
			}
			<-time.After(time.Minute) // longer than the pauses
		}
		if len(a.peers())+len(b.peers()) > 0 {
			t.Error("somebody was stored")
		}
		// Three mismatches end it, also over a restart, until a person says otherwise.
		a.crash()
		a.start()
		must(t, a.desk.OpenPane())
		must(t, b.desk.AllowNumbers())
		must(t, b.desk.OpenPane())
		nearby(a, b)
		_, err := b.desk.Choose("a")
		must(t, err)
		b.last(status.PairingFailed)
		if s, _ := a.desk.Snapshot(); len(s.Runs) > 0 {
			t.Errorf("a run by number began though they are off: %+v", s.Runs)
		}
	})
}

func TestAFloodOfRunsByNumberAsksOnce(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a := w.computer(t, "a")
		must(t, a.desk.OpenPane())
		for i := range 20 {
			from := fmt.Sprintf("quic://10.0.0.%d:1", i+1)
			conn := w.stranger(t, a, from)
			key, _ := conn.Binding(pairing.LabelNearby)
			m, err := pairing.NewInitiator(pairing.Channel{Self: device.ID(sha256.Sum256([]byte(from))), Peer: a.id(), Binding: key}, "Bert")
			must(t, err)
			go func() {
				_ = pairing.Run(t.Context(), conn, m, pairing.Host{
					Count: func() error { return nil },
					Ask: func(ctx context.Context, _ pairing.Question) (pairing.Answered, error) {
						<-ctx.Done()
						return pairing.Answered{}, context.Cause(ctx)
					},
				})
			}()
			synctest.Wait()
		}
		if s, _ := a.desk.Snapshot(); len(s.Runs) != 1 {
			t.Errorf("%d runs are shown at once, want 1", len(s.Runs))
		}
	})
}

func TestWithoutAnOpenPaneNobodyIsSeenOrAsked(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "a"), w.computer(t, "b")
		if got := a.desk.Announced(); got.Open || got.Name != "" || got.Beacon != nil || a.desk.Pairing() {
			t.Errorf("announced %+v", got)
		}
		if _, err := a.desk.Choose("b"); err == nil {
			t.Error("a device is chosen without the pane")
		}
		inv := a.invite(true) // an invitation is no pane: no name, no numbers
		if got := a.desk.Announced(); got.Open || got.Name != "" || got.Beacon == nil {
			t.Errorf("with an invitation %+v is announced", got)
		}
		must(t, b.desk.OpenPane())
		b.desk.Found([]Neighbour{{Key: "x", Name: "a", Addresses: []string{a.address}}})
		_, err := b.desk.Choose("x")
		must(t, err)
		b.last(status.PairingFailed)
		if s, _ := a.desk.Snapshot(); len(s.Runs) > 0 {
			t.Errorf("numbers are compared: %+v", s.Runs)
		}
		a.desk.CloseInvitation(inv.ID)
		must(t, a.desk.OpenPane())
		if got := a.desk.Announced(); !got.Open || got.Name != "a" {
			t.Errorf("with the pane open, %+v is announced", got)
		}
		<-time.After(PaneFor)
		if got := a.desk.Announced(); got.Open || got.Name != "" || a.desk.Pairing() {
			t.Errorf("two minutes later, %+v is announced", got)
		}
	})
}

func TestAnInvitationIsFoundByWhatItsDeviceAnnounces(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "a"), w.computer(t, "b")
		inv := a.invite(true)
		nearby(a, b)
		a.address, w.devices["quic://127.0.0.9:9"] = "", a
		var list []Neighbour
		beacon := a.desk.Announced().Beacon
		list = append(list, Neighbour{Key: "k", Addresses: []string{"quic://127.0.0.9:9"}, Beacon: beacon})
		delete(w.devices, "quic://192.168.7.1:22000") // the hint leads nowhere
		b.desk.Found(list)
		b.take(inv)
		b.last(status.PairingDone)
		if s, _ := b.desk.Snapshot(); len(s.Nearby) > 0 {
			t.Errorf("a device that has no name to be chosen by is shown: %+v", s.Nearby)
		}
	})
}

func TestADeviceThatTakesAnothersNameIsToldApart(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b, evil := w.computer(t, "a"), w.computer(t, "Laptop"), w.computer(t, "\u202eLAP\u200btop ")
		b.take(a.invite(true))
		a.last(status.PairingDone)
		evil.take(a.invite(false))
		asked := a.last(status.PairingAsks)
		if !asked.SameName || asked.Name != "LAPtop" {
			t.Errorf("asked about %+v, want a warning of the name", asked)
		}
		a.desk.Found([]Neighbour{{Key: "1", Name: "laptop"}, {Key: "2", Name: "other"}})
		s, _ := a.desk.Snapshot()
		if len(s.Nearby) != 2 || !s.Nearby[0].SameName || s.Nearby[1].SameName {
			t.Errorf("nearby %+v", s.Nearby)
		}
	})
}

func TestARemovedDeviceComesBackByPairingOrByHand(t *testing.T) {
	together(t, func(t *testing.T, w *world) {
		a, b := w.computer(t, "a"), w.computer(t, "b")
		remove := func() {
			must(t, a.store.Update(func(c config.Config) (config.Config, error) { return c.WithoutDevice(b.id(), time.Now()) }))
			if !a.store.Config().WasRemoved(b.id()) || a.knows(b) {
				t.Fatal("it was not removed")
			}
		}
		b.take(a.invite(true))
		a.last(status.PairingDone)
		remove()
		b.take(a.invite(true))
		a.until("paired again", func(s status.Pairing) bool { return len(s.Runs) == 2 && s.Runs[1].State == status.PairingDone })
		if !a.knows(b) || a.store.Config().WasRemoved(b.id()) {
			t.Error("a new pairing does not bring it back")
		}
		remove()
		must(t, a.desk.Welcome(b.id(), "b", ""))
		if !a.knows(b) || a.store.Config().WasRemoved(b.id()) {
			t.Error("a person's word does not bring it back")
		}
		if d := a.store.Config().Devices; d[0].Paired != status.ByRequest || d[0].Since.IsZero() {
			t.Errorf("stored %+v", d)
		}
	})
}
