//go:build unix

package e2e_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"testing"

	"lanyard/sync/device"
)

// hostile is a device that Lanyard knows and shares its folder with, and that
// wishes it ill.
type hostile struct {
	cert tls.Certificate
	id   device.ID
	to   *lanyard
	seq  uint64 // of the last entry that it announced
}

func newHostile(t *testing.T, to *lanyard) *hostile {
	t.Helper()
	cert, id := identity(t, "syncthing")
	to.run(t, "device", "add", id.String(), "--name", "hostile")
	if !to.shared {
		to.run(t, "folder", "add", to.dir, "--id", folderID, "--share", id.String(), "--no-brake")
		to.shared = true
	} else {
		to.run(t, "folder", "share", folderID, id.String())
	}
	return &hostile{cert: cert, id: id, to: to}
}

// connect opens a connection, exchanges ClusterConfigs, and gives every further
// message that comes to react, which is called from one goroutine; nil ignores
// them all.
func (h *hostile) connect(t *testing.T, react func(*rawClient, rawMessage)) *rawClient {
	t.Helper()
	var c *rawClient
	// A connection that comes before the end of the last one was noticed may be
	// closed as one too many.
	eventually(t, patience, "connected", func() (err error) {
		c, err = dialRaw(t, h.to, tlsFor("bep/1.0", h.cert))
		if err != nil {
			return err
		}
		if err := c.greet(); err != nil {
			return err
		}
		c.say(frameOf(kindClusterConfig, clusterConfig(folderID, h.id, deviceOf(t, h.to))))
		if m, ok := <-c.received; !ok || m.kind != kindClusterConfig {
			return fmt.Errorf("no ClusterConfig came: %w", context.Cause(c.conn.Context()))
		}
		return nil
	})
	go func() {
		for m := range c.received {
			switch {
			case m.kind == kindClose: // it waits for us to have read that
				c.leave()
			case react != nil:
				react(c, m)
			}
		}
	}()
	return c
}

// say writes bytes as they are. Whether they arrive is the other side's affair:
// it may have hung up at any byte.
func (c *rawClient) say(raw []byte) bool {
	_, err := c.stream.Write(raw)
	return err == nil
}

// leave ends a connection at once.
func (c *rawClient) leave() { _ = c.conn.CloseWithError(0, "") } // it may have ended

// frameOf gives an uncompressed message.
func frameOf(kind int, body []byte) []byte {
	return rawFrame(appendNumber(nil, 1, uint64(kind)), uint32(len(body)), body)
}

// packedFrame gives a compressed message that claims a size.
func packedFrame(kind int, claim uint32, block []byte) []byte {
	header := appendNumber(appendNumber(nil, 1, uint64(kind)), 2, 1)
	body := append(binary.BigEndian.AppendUint32(nil, claim), block...)
	return rawFrame(header, uint32(len(body)), body)
}

// rawFrame gives a header, a length that need not be true, and a body.
func rawFrame(header []byte, length uint32, body []byte) []byte {
	out := binary.BigEndian.AppendUint16(nil, uint16(len(header)))
	out = append(out, header...)
	out = binary.BigEndian.AppendUint32(out, length)
	return append(out, body...)
}

// entry is an index entry with every field as the sender likes it.
type entry struct {
	name      string
	kind      uint64 // 0 a file, 1 a directory, 4 a symlink
	size      uint64
	deleted   bool
	version   [][2]uint64 // counters: ID, value
	blockSize uint64
	blocks    [][]byte // bodies
	target    string
	seq       uint64
	mode      uint64
	mtime     uint64
}

// version1 is a version that nobody else has made.
var version1 = [][2]uint64{{0xbad, 1}}

// fileOf is an entry for a file of one block.
func fileOf(name string, content []byte, version [][2]uint64) entry {
	return entry{
		name: name, size: uint64(len(content)), version: version, mode: 0o644, mtime: 1_700_000_000,
		blocks: [][]byte{blockBody(0, uint64(len(content)), content)},
	}
}

func blockBody(offset, size uint64, content []byte) []byte {
	hash := sha256.Sum256(content)
	b := appendNumber(appendNumber(nil, 1, offset), 2, size)
	return appendString(b, 3, string(hash[:]))
}

func (e entry) body() []byte {
	var f []byte
	f = appendString(f, 1, e.name)
	f = appendNumber(f, 2, e.kind)
	f = appendNumber(f, 3, e.size)
	f = appendNumber(f, 4, e.mode)
	f = appendNumber(f, 5, e.mtime)
	if e.deleted {
		f = appendNumber(f, 6, 1)
	}
	var v []byte
	for _, c := range e.version {
		v = appendString(v, 1, string(appendNumber(appendNumber(nil, 1, c[0]), 2, c[1])))
	}
	f = appendString(f, 9, string(v))
	f = appendNumber(f, 10, e.seq)
	f = appendNumber(f, 13, e.blockSize)
	for _, b := range e.blocks {
		f = appendString(f, 16, string(b))
	}
	return appendString(f, 17, e.target)
}

// indexOf gives the body of an Index or IndexUpdate.
func indexOf(folder string, entries ...entry) []byte {
	body := appendString(nil, 1, folder)
	for _, e := range entries {
		body = appendString(body, 2, string(e.body()))
	}
	return body
}

const (
	kindIndexUpdate = 2
	kindClose       = 7
)

// announce sends entries under the next sequences.
func (h *hostile) announce(c *rawClient, entries ...entry) bool {
	for i := range entries {
		h.seq++
		entries[i].seq = h.seq
	}
	return c.say(frameOf(kindIndexUpdate, indexOf(folderID, entries...)))
}

// response gives the body of a Response.
func response(id uint64, data []byte, code uint64) []byte {
	r := appendNumber(nil, 1, id)
	r = appendString(r, 2, string(data))
	return appendNumber(r, 3, code)
}

// serving answers every request with the content of its name; what is not
// there gets an error.
func serving(contents map[string][]byte) func(*rawClient, rawMessage) {
	return func(c *rawClient, m rawMessage) {
		if m.kind != kindRequest {
			return
		}
		r := parse(m.body)
		content, ok := contents[string(r.bytes(3))]
		if !ok {
			c.say(frameOf(kindResponse, response(r.number(1), nil, 2)))
			return
		}
		end := min(r.number(4)+r.number(5), uint64(len(content)))
		c.say(frameOf(kindResponse, response(r.number(1), content[min(r.number(4), end):end], 0)))
	}
}
