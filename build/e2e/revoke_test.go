//go:build linux

package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"

	"lanyard/sync/device"
)

// codeRemoved is the code with which a connection of a removed device ends.
const codeRemoved = 20

// removed gives nil where a connection ended because the device was removed.
func removed(conn *quic.Conn) error {
	cause := context.Cause(conn.Context())
	var end *quic.ApplicationError
	if !errors.As(cause, &end) || !end.Remote || end.ErrorCode != codeRemoved {
		return fmt.Errorf("the connection ended with %v, want code %d of the other side", cause, codeRemoved)
	}
	return nil
}

// refusesWithoutAByte dials as a removed device does, and counts what it gets.
func refusesWithoutAByte(t *testing.T, to node, cert tls.Certificate) {
	t.Helper()
	c, err := dialRaw(t, to, tlsFor("lanyard/1", cert))
	must(t, err)
	c.write(t, hello("c"))
	must(t, c.stream.SetReadDeadline(time.Now().Add(patience)))
	got, _ := io.ReadAll(c.stream) // how it ended is looked at below
	if len(got) > 0 {
		t.Errorf("a removed device gets %d bytes: %q", len(got), got)
	}
	must(t, c.dropped())
	must(t, removed(c.conn))
}

// asks requests a block again and again until the connection ends, and tells of
// each that came.
func (c *rawClient) asks(t *testing.T, name string, content []byte, came func()) {
	for id := 1; ; id++ {
		ask := request(id, folderID, name, 0, content, len(content))
		var frame []byte
		header := appendNumber(nil, 1, kindRequest)
		frame = append(frame, byte(len(header)>>8), byte(len(header)))
		frame = append(frame, header...)
		frame = append(frame, 0, 0, byte(len(ask)>>8), byte(len(ask)))
		if _, err := c.stream.Write(append(frame, ask...)); err != nil {
			return
		}
		for m := range c.received {
			if m.kind == kindResponse {
				if !bytes.Equal(parse(m.body).bytes(2), content) {
					t.Error("another block came than was asked for")
				}
				came()
				break
			}
		}
		if c.conn.Context().Err() != nil {
			return
		}
	}
}

// TestARemovedDeviceIsCutOffInTheMidstOfATransfer has a device read blocks without
// pause while it is removed: the best of three times, since the machine may be
// busy.
func TestARemovedDeviceIsCutOffInTheMidstOfATransfer(t *testing.T) {
	t.Parallel()
	a, b := newLanyard(t, "a"), newLanyard(t, "b")
	cert, id := identity(t, "syncthing")
	a.Know(t, b, true)
	b.Know(t, a, false)
	knows := func(l *lanyard) {
		t.Helper()
		l.run(t, "device", "add", id.String(), "--name", "c")
		l.run(t, "folder", "share", folderID, id.String())
	}
	knows(a)
	knows(b)
	content := make([]byte, 128<<10)
	_, _ = rand.Read(content) // never fails
	must(t, os.WriteFile(filepath.Join(a.dir, "file"), content, 0o644))
	b.Start(t)
	a.Start(t)
	eventually(t, patience, "connected", a.Connected)
	a.wait(t, "60s")

	best := time.Hour
	for range 3 {
		c := rawPeer(t, a, cert, id)
		came := make(chan struct{}, 1)
		over := make(chan time.Time, 1)
		go func() {
			c.asks(t, "file", content, func() {
				select {
				case came <- struct{}{}:
				default:
				}
			})
			<-c.conn.Context().Done()
			over <- time.Now()
		}()
		select {
		case <-came:
		case <-time.After(patience):
			t.Fatal("no block came")
		}
		a.run(t, "device", "remove", "c")
		done := time.Now()
		select {
		case at := <-over:
			best = min(best, at.Sub(done))
		case <-time.After(patience):
			t.Fatal("the transfer goes on")
		}
		must(t, removed(c.conn))
		refusesWithoutAByte(t, a, cert)
		if list := a.run(t, "device", "list", "--removed", "--json"); !strings.Contains(list, id.String()) {
			t.Errorf("removed are %s", list)
		}
		knows(a) // it may come back
	}
	t.Logf("the connection ended %v after the command", best.Round(time.Millisecond))
	if best > time.Second {
		t.Errorf("the quickest of three took %v, want under 1 s", best)
	}

	// The removal outlives the program.
	a.run(t, "device", "remove", "c")
	a.Kill()
	a.Start(t)
	refusesWithoutAByte(t, a, cert)

	// b heard of it, lets the device in no more, and asks.
	eventually(t, patience, "b asks", func() error { return b.says("removed-elsewhere", id) })
	c, err := dialRaw(t, b, tlsFor("bep/1.0", cert))
	must(t, err)
	must(t, c.greet())
	c.send(t, kindClusterConfig, clusterConfig(folderID, id), false)
	must(t, c.dropped())
	for m := range c.received {
		t.Errorf("a device about which b has not decided gets a message of type %d", m.kind)
	}
	b.run(t, "device", "resume", "c")
	theirs, err := device.Parse(b.ID())
	must(t, err)
	c, err = dialRaw(t, b, tlsFor("bep/1.0", cert))
	must(t, err)
	must(t, c.greet())
	c.send(t, kindClusterConfig, clusterConfig(folderID, id, theirs), false)
	c.expect(t, kindClusterConfig)
	b.run(t, "device", "remove", "c")
	must(t, c.dropped())
	must(t, removed(c.conn))
	refusesWithoutAByte(t, b, cert)
	for _, l := range []*lanyard{a, b} {
		got, err := os.ReadFile(filepath.Join(l.dir, "file"))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("the file has gone from %s: %v", filepath.Base(l.dir), err)
		}
	}
}

// says gives nil once a device has a problem.
func (l *lanyard) says(code string, id device.ID) error {
	out, err := l.try("status", "--json")
	if err != nil {
		return err
	}
	var s struct {
		Devices []struct {
			ID       string
			Problems []struct{ Code string }
		}
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		return err
	}
	for _, d := range s.Devices {
		for _, p := range d.Problems {
			if d.ID == id.String() && p.Code == code {
				return nil
			}
		}
	}
	return fmt.Errorf("its devices are %+v", s.Devices)
}

// TestThreeDevicesAndOneIsRemoved has a person remove a lost device, decide the
// same on the other one, and connect it again when it was found.
func TestThreeDevicesAndOneIsRemoved(t *testing.T) {
	t.Parallel()
	a, b, c := newLanyard(t, "a"), newLanyard(t, "b"), newLanyard(t, "c")
	all := []*lanyard{a, b, c}
	for i, l := range all {
		for j, other := range all {
			if i != j {
				l.Know(t, other, true)
			}
		}
	}
	for _, l := range all {
		l.Start(t)
	}
	file := func(l *lanyard, name string) string { return filepath.Join(l.dir, name) }
	there := func(l *lanyard, name string) func() error {
		return func() error { _, err := os.Stat(file(l, name)); return err }
	}
	must(t, os.WriteFile(file(c, "before"), []byte("before"), 0o644))
	for _, l := range all {
		eventually(t, patience, "a file before", there(l, "before"))
	}
	ids := map[*lanyard]device.ID{}
	for _, l := range all {
		id, err := device.Parse(l.ID())
		must(t, err)
		ids[l] = id
	}

	a.run(t, "device", "remove", c.ID())
	eventually(t, patience, "c learns it", func() error { return c.says("device-forgot-us", ids[a]) })
	eventually(t, patience, "b asks", func() error { return b.says("removed-elsewhere", ids[c]) })
	eventually(t, patience, "c is kept out by b", func() error { return c.says("device-paused-there", ids[b]) })
	must(t, os.WriteFile(file(c, "alone"), []byte("alone"), 0o644))
	must(t, os.WriteFile(file(a, "without"), []byte("without"), 0o644))
	eventually(t, patience, "a file between the others", there(b, "without"))
	b.run(t, "device", "remove", c.ID())
	for _, l := range []*lanyard{a, b} {
		must(t, there(l, "before")())
		if there(l, "alone")() == nil || there(c, "without")() == nil {
			t.Error("something went to or came from a removed device")
		}
	}

	// A new pairing, with one of them.
	link := a.invite(t, "--yes")
	c.run(t, "pair", "accept", link, "--address", a.Address(), "--yes")
	eventually(t, patience, "connected again", func() error { return a.connectedWith(c) })
	a.run(t, "folder", "share", folderID, c.ID())
	eventually(t, patience, "what c wrote alone", there(b, "alone"))
	eventually(t, patience, "what was written without c", there(c, "without"))
	if b.connectedWith(c) == nil {
		t.Error("b does not keep it out any more")
	}
}
