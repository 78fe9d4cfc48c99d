//go:build unix

package e2e_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"lanyard/sync/device"
)

// sharedFile is the content of the file that a raw peer may ask for: two
// blocks, the second short.
var sharedFile = random(131072+5000, 3)

// newServed gives a running Lanyard that shares a folder holding a file with
// a raw peer.
func newServed(t *testing.T) (*lanyard, *rawClient) {
	t.Helper()
	cert, id := identity(t, "syncthing")
	ours := newLanyard(t, "ours")
	write(t, ours.dir, "file", sharedFile)
	write(t, ours.dir, "hidden.log", sharedFile)
	write(t, ours.dir, ".stignore", []byte("*.log\n"))
	ours.run(t, "device", "add", id.String(), "--name", "raw")
	ours.run(t, "folder", "add", ours.dir, "--id", folderID, "--share", id.String())
	ours.Start(t)
	ours.Scan(t)
	return ours, rawPeer(t, ours, cert, id)
}

// answers checks that the other side still serves what it should.
func answers(t *testing.T, c *rawClient, id int) {
	t.Helper()
	c.send(t, kindRequest, request(id, folderID, "file", 0, sharedFile[:131072], 131072), false)
	r := parse(c.expect(t, kindResponse).body)
	if r.number(1) != uint64(id) || r.number(3) != 0 || !bytes.Equal(r.bytes(2), sharedFile[:131072]) {
		t.Fatalf("request %d: response %d, code %d, %d bytes", id, r.number(1), r.number(3), len(r.bytes(2)))
	}
}

func TestTheRawClientSpeaksWithSyncthing(t *testing.T) {
	if !needSyncthing(t) {
		return
	}
	cert, id := identity(t, "syncthing")
	theirs := newSyncthing(t, "theirs")
	theirs.peers = []stPeer{{ID: id.String(), Compression: "always", Addresses: []string{"dynamic"}}}
	write(t, theirs.dir, "file", sharedFile)
	theirs.Start(t)
	theirs.Scan(t)
	c := rawPeer(t, theirs, cert, id)
	index := c.expect(t, kindIndex)
	if name := parse(parse(index.body).bytes(2)).bytes(1); string(name) != "file" {
		t.Errorf("the index names %q, want the file", name)
	}
	answers(t, c, 0)
	answers(t, c, 1)
}

func TestInterop15WhatIsUnknownIsSkipped(t *testing.T) {
	ours, c := newServed(t)
	id := 0
	after := func(what string, send func()) {
		t.Run(what, func(t *testing.T) {
			send()
			answers(t, c, id)
			id++
		})
	}
	after("nothing", func() {})
	after("an unknown type", func() { c.send(t, 99, []byte("whatever"), false) })
	after("an unknown type in our range", func() { c.send(t, 127, []byte("whatever"), false) })
	after("unknown fields", func() {
		body := appendString(nil, 1000, "later")
		c.send(t, kindPing, appendNumber(body, 1001, 7), false)
	})
	after("a ping of no bytes", func() { c.write(t, []byte{0, 2, 8, 6, 0, 0, 0, 0}) })
	after("a second ClusterConfig", func() {
		own, err := device.Parse(ours.id)
		must(t, err)
		s, err := ours.status()
		must(t, err)
		peer, err := device.Parse(s.Devices[0].ID)
		must(t, err)
		c.send(t, kindClusterConfig, clusterConfig(folderID, peer, own), false)
	})
}

func TestInterop16CompressedMessagesAreRead(t *testing.T) {
	const count = 10_000
	ours, c := newServed(t)
	c.send(t, kindIndex, rawIndex(count), true)
	eventually(t, patience, "all entries of a compressed index", func() error {
		entries, err := os.ReadDir(filepath.Join(ours.dir, "many"))
		if err == nil && len(entries) != count {
			err = fmt.Errorf("%d directories, want %d", len(entries), count)
		}
		return err
	})
	for _, size := range []int{127, 128, 60_000} { // a tag of 4 bytes or more precedes them
		c.send(t, kindPing, appendString(nil, 1000, string(random(size-4, 1))), true)
	}
	answers(t, c, 0)
}

// rawIndex announces directories, which need no request.
func rawIndex(count int) []byte {
	counter := appendNumber(appendNumber(nil, 1, 42), 2, 1)
	version := appendString(nil, 1, string(counter))
	body := appendString(nil, 1, folderID)
	for i := range count + 1 {
		name := "many"
		if i > 0 {
			name = fmt.Sprintf("many/%05d", i)
		}
		var f []byte
		f = appendString(f, 1, name)
		f = appendNumber(f, 2, 1)
		f = appendNumber(f, 4, 0o755)
		f = appendNumber(f, 5, 1_600_000_000)
		f = appendString(f, 9, string(version))
		f = appendNumber(f, 10, uint64(i+1))
		body = appendString(body, 2, string(f))
	}
	return body
}

func TestInterop17OversizedMessagesCostNoMemory(t *testing.T) {
	frame := func(header []byte, size uint32, body ...byte) []byte {
		out := binary.BigEndian.AppendUint16(nil, uint16(len(header)))
		out = append(out, header...)
		return append(binary.BigEndian.AppendUint32(out, size), body...)
	}
	index := []byte{8, 1}
	packed := []byte{8, 1, 16, 1}
	tests := []struct {
		name string
		raw  []byte
	}{
		{"longer than 500,000,000 bytes", frame(index, 500_000_001)},
		{"of negative length", frame(index, 1<<31|5)},
		{"with a header of negative length", []byte{0x80, 1, 0}},
		{"of corrupt LZ4", frame(packed, 8, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff)},
		{"of LZ4 that claims 600 MB", frame(packed, 8, 0x23, 0xc3, 0x46, 0, 0xff, 0xff, 0xff, 0xff)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ours, c := newServed(t)
			before := peakMemory(t, ours)
			c.write(t, test.raw)
			must(t, c.dropped())
			if grown := peakMemory(t, ours) - before; grown > 64<<10 {
				t.Errorf("memory grew by %d KiB", grown)
			}
		})
	}
}

// peakMemory gives the highest resident memory of the engine so far, in KiB;
// 0 where the system does not tell it in /proc.
func peakMemory(t *testing.T, l *lanyard) int { return memoryOf(t, l, "VmHWM:") }

func TestInterop18AnEmptyClusterConfigIsSixZeroBytes(t *testing.T) {
	cert, id := identity(t, "syncthing")
	ours := newLanyard(t, "ours")
	ours.run(t, "device", "add", id.String())
	ours.Start(t)
	c, err := dialRaw(t, ours, tlsFor("bep/1.0", cert))
	must(t, err)
	must(t, c.greet())
	c.write(t, make([]byte, 6))
	if m := c.expect(t, kindClusterConfig); len(m.body) != 0 {
		t.Errorf("a ClusterConfig without folders has the body %x", m.body)
	}
	must(t, ours.Connected())
}

func TestInterop30RequestsAreAnsweredByTheirKind(t *testing.T) {
	_, c := newServed(t)
	block, end := sharedFile[:131072], sharedFile[131072:]
	tests := []struct {
		name string
		body []byte
		code uint64
		data []byte
	}{
		{"a whole block", request(0, folderID, "file", 0, block, len(block)), 0, block},
		{"the last, short block", request(1, folderID, "file", 131072, end, len(end)), 0, end},
		{"another hash", request(2, folderID, "file", 0, end, len(block)), 2, nil},
		{"an ignored file", request(3, folderID, "hidden.log", 0, block, len(block)), 3, nil},
		{"a file that is not there", request(4, folderID, "nowhere", 0, block, len(block)), 2, nil},
		{"a folder that is not shared", request(5, "other", "file", 0, block, len(block)), 1, nil},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c.send(t, kindRequest, test.body, false)
			r := parse(c.expect(t, kindResponse).body)
			if r.number(1) != uint64(i) || r.number(3) != test.code || !bytes.Equal(r.bytes(2), test.data) {
				t.Errorf("response %d, code %d, %d bytes; want %d, code %d, %d bytes",
					r.number(1), r.number(3), len(r.bytes(2)), i, test.code, len(test.data))
			}
		})
	}
	t.Run("a name outside the folder ends the connection", func(t *testing.T) {
		c.send(t, kindRequest, request(9, folderID, "../x", 0, block, len(block)), false)
		must(t, c.dropped())
	})
}

func TestInterop30ARequestWithoutHashIsRefused(t *testing.T) {
	_, c := newServed(t)
	c.send(t, kindRequest, request(0, folderID, "file", 0, nil, 131072), false)
	select {
	case m, ok := <-c.received:
		for ok && m.kind != kindResponse {
			m, ok = <-c.received
		}
		if r := parse(m.body); ok && (r.number(3) == 0 || len(r.bytes(2)) > 0) {
			t.Errorf("code %d with %d bytes", r.number(3), len(r.bytes(2)))
		}
	case <-c.conn.Context().Done():
	}
}
