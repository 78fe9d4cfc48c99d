//go:build unix

package e2e_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pierrec/lz4/v4"

	"lanyard/sync/device"
)

// attacks is what one paired device tries, one after the other.
var attacks = []struct {
	name string
	do   func(t *testing.T, s *siege, h *hostile)
}{
	{"lengths that are too long are refused", tooLong},
	{"lengths that never come hold nothing", neverComes},
	{"compressed messages that claim what they do not hold", bombs},
	{"names that lead elsewhere", badNames},
	{"names below a link", belowLinks},
	{"a directory that turns into a link all the time", racingLinks},
	{"a version store that is a link", linkedVersions},
	{"floods", floods},
	{"many streams", manyStreams},
	{"wrong answers", wrongAnswers},
	{"entries with a great many blocks", manyBlocks},
	{"versions with a great many counters", manyCounters},
	{"our own counter raised", ownCounter},
	{"files larger than any disk", hugeFiles},
	{"requests for what is not theirs", nosyRequests},
	{"sequences that make no sense", oddSequences},
	{"messages cut short", halfMessages},
	{"names for people to stumble over", oddStrings},
	{"many strangers", strangers},
}

// kinds are all types of messages, and three that have no meaning.
var kinds = []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 64, 99}

func tooLong(t *testing.T, _ *siege, h *hostile) {
	limits := map[uint64]uint32{0: 4 << 20, 1: 32 << 20, 2: 32 << 20, 4: 16<<20 + 64<<10 + 28, 5: 1 << 20}
	for _, kind := range kinds {
		limit, ok := limits[kind]
		switch {
		case kind > 7:
			limit = 500_000_000
		case !ok:
			limit = 64 << 10
		}
		for _, length := range []uint32{limit + 1, 1 << 31, math.MaxUint32} {
			c := h.connect(t, nil)
			c.say(rawFrame(appendNumber(nil, 1, kind), length, []byte("xyz")))
			if err := c.dropped(); err != nil {
				t.Errorf("type %d of length %d: %v", kind, length, err)
			}
			if kind > 7 {
				continue // what is skipped is not unpacked
			}
			c = h.connect(t, nil)
			c.say(packedFrame(int(kind), length, bytes.Repeat([]byte{0xff}, 64)))
			if err := c.dropped(); err != nil {
				t.Errorf("type %d that claims %d bytes: %v", kind, length, err)
			}
		}
	}
	for _, length := range []uint16{1025, 1 << 15, math.MaxUint16} {
		c := h.connect(t, nil)
		c.say(binary.BigEndian.AppendUint16(nil, length))
		if err := c.dropped(); err != nil {
			t.Errorf("header of length %d: %v", length, err)
		}
	}
	// Lengths inside of a message.
	for _, length := range []uint64{1 << 31, math.MaxUint32, math.MaxInt64, math.MaxUint64} {
		for _, tag := range []byte{0x0a, 0x12, 0x82} { // a folder, an entry, an entry's block
			c := h.connect(t, nil)
			body := append([]byte{tag}, appendNumber(nil, 1, length)[1:]...)
			c.say(frameOf(kindIndex, body))
			if err := c.dropped(); err != nil {
				t.Errorf("field %#x of length %d: %v", tag, length, err)
			}
		}
	}
}

// neverComes announces the longest messages and leaves in the middle.
func neverComes(t *testing.T, _ *siege, h *hostile) {
	for range 3 {
		for _, kind := range kinds {
			c := h.connect(t, nil)
			c.say(rawFrame(appendNumber(nil, 1, kind), 64<<10, []byte("xyz")))
			c.leave()
			c = h.connect(t, nil)
			c.say(rawFrame(nil, 0, nil))
			c.leave()
		}
	}
}

func bombs(t *testing.T, _ *siege, h *hostile) {
	refused := map[string][]byte{
		"20 bytes for 500 MB":     packedFrame(kindIndex, 500_000_000, make([]byte, 12)),
		"20 bytes for 32 MiB":     packedFrame(kindIndex, 32<<20, make([]byte, 12)),
		"a block for no bytes":    packedFrame(kindPing, 0, bytes.Repeat([]byte{'0'}, 44)),
		"no room for the claim":   rawFrame([]byte{8, 1, 16, 1}, 3, []byte{0, 0, 0}),
		"nothing but zeros":       zeros(t, kindIndex, 32<<20),
		"a claim that is too low": packedFrame(kindIndex, 5, literals(make([]byte, 50))),
	}
	for name, raw := range refused {
		c := h.connect(t, nil)
		c.say(raw)
		if err := c.dropped(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is allowed and large: one field of 32 MiB that nobody knows.
	body := appendString(appendString(nil, 1, folderID), 1000, string(make([]byte, 32<<20-64)))
	packed := make([]byte, lz4.CompressBlockBound(len(body)))
	n, err := lz4.CompressBlock(body, packed, nil)
	must(t, err)
	c := h.connect(t, nil)
	for range 20 {
		c.say(packedFrame(kindIndexUpdate, uint32(len(body)), packed[:n]))
	}
	// The same with as many entries as a message may have.
	body = appendString(nil, 1, folderID)
	for i := range 20_000 {
		e := entry{name: fmt.Sprintf("bomb/%05d/%s", i, strings.Repeat("b", 200)), kind: 1, version: version1, deleted: true, seq: uint64(i + 1)}
		body = appendString(body, 2, string(e.body()))
	}
	c.say(packedOf(t, kindIndexUpdate, body))
	c.leave()
}

func zeros(t *testing.T, kind, n int) []byte { return packedOf(t, kind, make([]byte, n)) }

func packedOf(t *testing.T, kind int, body []byte) []byte {
	t.Helper()
	p := pack(t, body)
	return packedFrame(kind, binary.BigEndian.Uint32(p), p[4:])
}

// badNames announces each name as everything that a name can be, also as
// deleted.
func badNames(t *testing.T, s *siege, h *hostile) {
	evil := []byte("evil\n")
	contents := map[string][]byte{}
	broken := []string{
		"", ".", "..", "/", "/etc/evil", "../evil", "../canary/evil", "../canary/secret", "a/../../canary/secret", "inside/../../evil",
		"a//b", "a/", "./a", "a/./b", "inside/..", "//evil", "../../../../../../../../../../tmp/evil",
	}
	refused := []string{
		"nul\x00byte", "\xff\xfe", "e\u0301", strings.Repeat("x", 256), strings.Repeat("d/", 1024) + "x", strings.Repeat("abcdefgh/", 500) + "x",
		".stfolder", ".stfolder/x", ".stignore", ".stversions/evil", ".stversions", ".syncthing.evil.tmp", "a/.syncthing.evil.tmp", "~syncthing~evil.tmp",
	}
	odd := []string{"-rf", "new\nline", "esc\x1b[31m", "turn\u202etxt.exe", "C:\\evil", "..\\..\\evil", "...", "~", "$(touch evil)", "con", "trailing ", "\ufeff"}
	forms := func(name string) []entry {
		contents[name] = evil
		return []entry{
			fileOf(name, evil, version1),
			{name: name, kind: 1, version: version1, mode: 0o777},
			{name: name, kind: 4, version: version1, target: "../canary"},
			{name: name, deleted: true, version: [][2]uint64{{1, math.MaxInt32}}},
		}
	}
	for _, name := range broken {
		for _, e := range forms(name) {
			c := h.connect(t, serving(contents))
			h.announce(c, e)
			if err := c.dropped(); err != nil {
				t.Fatalf("name %q: %v", name, err)
			}
			c = h.connect(t, nil)
			c.say(frameOf(kindRequest, request(1, folderID, name, 0, evil, 5)))
			if err := c.dropped(); err != nil {
				t.Fatalf("request of %q: %v", name, err)
			}
		}
	}
	c := h.connect(t, serving(contents))
	for _, name := range refused {
		for _, e := range forms(name) {
			h.announce(c, e)
		}
	}
	for _, name := range odd {
		h.announce(c, forms(name)[0])
	}
	h.arrives(t, s, c, "after-the-names")
	c.leave()
	if _, err := os.Stat(filepath.Join(s.ours.dir, ".stfolder")); err != nil {
		t.Errorf("the marker: %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(s.ours.dir, ".stignore")); err != nil || string(text) != "*.log\n" {
		t.Errorf("the rules are %q, %v", text, err)
	}
}

// arrives announces a harmless file and waits until it is there: what was
// announced before it was looked at.
func (h *hostile) arrives(t *testing.T, s *siege, c *rawClient, name string) {
	t.Helper()
	h.announce(c, entry{name: name, kind: 1, version: version1, mode: 0o755})
	eventually(t, patience, name+" arrives", func() error {
		if _, err := os.Stat(filepath.Join(s.ours.dir, name)); err != nil {
			return errors.Join(err, ended(c))
		}
		return nil
	})
}

// ended gives why a connection ended, nil while it lasts.
func ended(c *rawClient) error {
	select {
	case <-c.conn.Context().Done():
		return fmt.Errorf("the connection ended: %w", context.Cause(c.conn.Context()))
	default:
		return nil
	}
}

// belowLinks writes, deletes and changes what lies behind links: those that a
// person made, and those that it plants itself.
func belowLinks(t *testing.T, s *siege, h *hostile) {
	evil := []byte("evil\n")
	contents := map[string][]byte{}
	c := h.connect(t, serving(contents))
	links := []string{"out", "out-relative", "in", "planted", "planted-absolute", "planted-parent"}
	h.announce(
		c,
		entry{name: "planted", kind: 4, version: version1, target: "../canary"},
		entry{name: "planted-absolute", kind: 4, version: version1, target: s.canary},
		entry{name: "planted-parent", kind: 4, version: version1, target: ".."},
	)
	h.arrives(t, s, c, "after-the-links")
	for _, link := range links {
		for _, name := range []string{"evil", "secret", "sub/script", "sub/evil", "kept", "canary/secret", "canary/evil"} {
			full := link + "/" + name
			contents[full] = evil
		}
	}
	for round, entries := range [][]entry{belowAll(links, evil, 2), belowAll(links, evil, 3)} {
		h.announce(c, entries...)
		h.arrives(t, s, c, fmt.Sprintf("after-round-%d", round))
	}
	// The link itself becomes a directory with the same things in it, and back.
	for i := range uint64(3) {
		h.announce(c, entry{name: "planted", kind: 1, version: [][2]uint64{{0xbad, 10 + 2*i}}, mode: 0o755})
		h.announce(c, fileOf("planted/secret", evil, [][2]uint64{{0xbad, 10 + 2*i}}))
		h.announce(c, entry{name: "planted/secret", deleted: true, version: [][2]uint64{{0xbad, 11 + 2*i}}})
		h.announce(c, entry{name: "planted", kind: 4, version: [][2]uint64{{0xbad, 11 + 2*i}}, target: "../canary"})
		h.arrives(t, s, c, fmt.Sprintf("after-turn-%d", i))
	}
	c.leave()
	if text, err := os.ReadFile(filepath.Join(s.ours.dir, "inside/kept")); err != nil || string(text) != "kept\n" {
		t.Errorf("what an inner link leads to holds %q, %v", text, err)
	}
}

// belowAll gives, for names below each link, a new file, a directory, a link
// and a deletion, by turns.
func belowAll(links []string, content []byte, count uint64) []entry {
	var out []entry
	version := [][2]uint64{{1, math.MaxInt32}, {0xbad, count}}
	for i, link := range links {
		for j, name := range []string{"evil", "secret", "sub/script", "sub/evil", "kept", "canary/secret", "canary/evil"} {
			full := link + "/" + name
			switch (i + j + int(count)) % 4 {
			case 0:
				out = append(out, fileOf(full, content, version))
			case 1:
				out = append(out, entry{name: full, deleted: true, version: version})
			case 2:
				out = append(out, entry{name: full, kind: 1, mode: 0o777, version: version})
			case 3:
				out = append(out, entry{name: full, kind: 4, target: "/etc/passwd", version: version})
			}
		}
	}
	return out
}

// racingLinks has a directory of the folder be a link to the outside every
// other moment, while files are made and deleted in it.
func racingLinks(t *testing.T, s *siege, h *hostile) {
	contents := map[string][]byte{}
	evil := []byte("evil\n")
	var batches [][]entry
	for round := range uint64(20) {
		var batch []entry
		for i := range 20 {
			name := fmt.Sprintf("race/sub/f%d", i)
			contents[name] = evil
			e := fileOf(name, evil, [][2]uint64{{0xbad, round + 1}})
			e.mtime += round
			if round%3 == 2 {
				e = entry{name: name, deleted: true, version: e.version}
			}
			batch = append(batch, e)
		}
		for _, name := range []string{"race/secret", "race/sub/script"} {
			contents[name] = evil
			batch = append(batch, fileOf(name, evil, [][2]uint64{{1, math.MaxInt32}, {0xbad, round + 1}}))
		}
		batches = append(batches, batch)
	}
	race := filepath.Join(s.ours.dir, "race")
	must(t, os.MkdirAll(filepath.Join(race, "sub"), 0o755))
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			// An error is a turn without a swap: the daemon holds the name.
			_ = os.Rename(race, race+"-aside")
			_ = os.Symlink(s.canary, race)
			select {
			case <-stop:
				_ = os.Remove(race)
				_ = os.Rename(race+"-aside", race)
				return
			default:
			}
			_ = os.Remove(race)
			_ = os.Rename(race+"-aside", race)
		}
	}()
	c := h.connect(t, serving(contents))
	for i, batch := range batches {
		h.announce(c, batch...)
		h.arrives(t, s, c, fmt.Sprintf("after-race-%d", i))
	}
	close(stop)
	<-done
	c.leave()
}

// linkedVersions deletes files while what should keep them leads elsewhere.
func linkedVersions(t *testing.T, s *siege, h *hostile) {
	store := filepath.Join(s.ours.dir, ".stversions")
	eventually(t, patience, "the link stands", func() error { // versions come while it is made
		_ = os.RemoveAll(store) // what came meanwhile is removed the next time
		return os.Symlink(s.canary, store)
	})
	defer os.Remove(store)
	write(t, s.ours.dir, "secret", []byte("of ours\n"))
	s.ours.Scan(t)
	c := h.connect(t, nil)
	h.announce(
		c,
		entry{name: "secret", deleted: true, version: [][2]uint64{{1, 1}, {shortID(t, s.ours), math.MaxUint32}}},
	)
	h.arrives(t, s, c, "after-the-versions")
	c.leave()
}

func shortID(t *testing.T, l *lanyard) uint64 {
	t.Helper()
	return uint64(deviceOf(t, l).Short())
}

func deviceOf(t *testing.T, l *lanyard) device.ID {
	t.Helper()
	id, err := device.Parse(l.id)
	must(t, err)
	return id
}

func floods(t *testing.T, s *siege, h *hostile) {
	c := h.connect(t, nil)
	theirs := deviceOf(t, h.to)
	var raw []byte
	flood := func(n int, frame func(i int) []byte) {
		raw = raw[:0]
		for i := range n {
			raw = append(raw, frame(i)...)
		}
		c.say(raw)
	}
	flood(50_000, func(int) []byte { return frameOf(kindPing, nil) })
	flood(20_000, func(i int) []byte {
		return frameOf(kindRequest, request(i, folderID, "file", 131072, sharedFile[131072:], 5000))
	})
	flood(2_000, func(int) []byte { return frameOf(kindClusterConfig, clusterConfig(folderID, h.id, theirs)) })
	flood(2_000, func(i int) []byte {
		h.seq++
		e := entry{name: fmt.Sprintf("flood/%d", i%50), deleted: true, version: [][2]uint64{{0xbad, uint64(i + 1)}}, seq: h.seq}
		return frameOf(kindIndexUpdate, indexOf(folderID, e))
	})
	flood(20_000, func(i int) []byte { return frameOf(kindResponse, response(uint64(i), []byte("nobody asked"), 0)) })
	flood(20_000, func(int) []byte { return frameOf(5, appendString(nil, 1, folderID)) })
	for range 8 {
		c.say(frameOf(99, make([]byte, 4<<20)))
	}
	h.arrives(t, s, c, "after-the-floods")
	c.leave()
	// An Index, not an update, makes the receiver forget what it had.
	c = h.connect(t, nil)
	for range 200 {
		h.seq++
		e := entry{name: "flood/again", deleted: true, version: version1, seq: h.seq}
		c.say(frameOf(kindIndex, indexOf(folderID, e)))
	}
	h.arrives(t, s, c, "after-the-indexes")
	c.leave()
	for range 50 {
		h.connect(t, nil).leave()
	}
}

func manyStreams(t *testing.T, s *siege, h *hostile) {
	c := h.connect(t, nil)
	opened := 0
	for range 100 {
		stream, err := c.conn.OpenStream()
		if err != nil {
			break
		}
		opened++
		must(t, stream.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
		_, _ = stream.Write(make([]byte, 4<<20)) // as much as flow control lets pass
	}
	if opened > 4 {
		t.Errorf("%d more streams could be opened, want at most 4", opened)
	}
	if _, err := c.conn.OpenUniStream(); err == nil {
		t.Error("a stream of one direction could be opened")
	}
	c.leave()
	c = h.connect(t, nil) // what it wrote there used up that connection's window
	h.arrives(t, s, c, "after-the-streams")
	c.leave()
}

// wrongAnswers offers files and answers requests for them with anything but
// their bytes.
func wrongAnswers(t *testing.T, s *siege, h *hostile) {
	right := random(131072, 77)
	answers := map[string]func(c *rawClient, id uint64){
		"other bytes": func(c *rawClient, id uint64) { c.say(frameOf(kindResponse, response(id, random(131072, 78), 0))) },
		"fewer bytes": func(c *rawClient, id uint64) { c.say(frameOf(kindResponse, response(id, right[:100], 0))) },
		"no bytes":    func(c *rawClient, id uint64) { c.say(frameOf(kindResponse, response(id, nil, 0))) },
		"an odd code": func(c *rawClient, id uint64) { c.say(frameOf(kindResponse, response(id, right, 77))) },
		"more bytes": func(c *rawClient, id uint64) {
			c.say(frameOf(kindResponse, response(id, append(bytes.Clone(right), 0), 0)))
		},
		"an answer for another": func(c *rawClient, id uint64) { c.say(frameOf(kindResponse, response(id+1000, right, 0))) },
		"the wrong one twice": func(c *rawClient, id uint64) {
			for range 2 {
				c.say(frameOf(kindResponse, response(id, random(131072, 79), 0)))
			}
		},
		"never": func(*rawClient, uint64) {},
	}
	for name, answer := range answers {
		asked := make(chan struct{}, 100)
		c := h.connect(t, func(c *rawClient, m rawMessage) {
			if m.kind == kindRequest {
				answer(c, parse(m.body).number(1))
				select {
				case asked <- struct{}{}:
				default:
				}
			}
		})
		file := "wrong " + name
		h.announce(c, fileOf(file, right, version1))
		select {
		case <-asked:
		case <-c.conn.Context().Done():
			t.Fatalf("%s: the connection ended before the request", name)
		case <-time.After(patience):
			t.Fatalf("%s: no request came", name)
		}
		c.leave()
		if got, err := os.ReadFile(filepath.Join(s.ours.dir, file)); err == nil && !bytes.Equal(got, right) {
			t.Errorf("%s: %d wrong bytes stand under the name", name, len(got))
		}
	}
}

func manyBlocks(t *testing.T, _ *siege, h *hostile) {
	block := blockBody(0, 131072, []byte("x"))
	one := appendString(nil, 16, string(block))
	huge := func(n int, blocks []byte, size uint64) []byte {
		f := appendNumber(appendString(nil, 1, "huge"), 3, size)
		f = appendString(f, 9, string(appendString(nil, 1, string(appendNumber(appendNumber(nil, 1, 5), 2, 5)))))
		f = append(f, bytes.Repeat(blocks, n)...)
		return appendString(appendString(nil, 1, folderID), 2, string(f))
	}
	tests := map[string][]byte{
		"10^7 blocks":            rawFrame([]byte{8, 2}, 420_000_000, huge(10_000, one, 1<<40)),
		"10^7 empty blocks":      frameOf(kindIndexUpdate, huge(10_000_000, []byte{0x82, 1, 0}, 1<<40)),
		"10^7 blocks, packed":    packedFrame(kindIndexUpdate, 420_000_000, bytes.Repeat([]byte{0xff}, 2<<20)),
		"as many as fit, broken": frameOf(kindIndexUpdate, huge(780_000, one, 1<<40)),
	}
	for name, raw := range tests {
		c := h.connect(t, nil)
		c.say(raw)
		if err := c.dropped(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// As many as fit, and right.
	const n = 700_000
	f := appendNumber(appendString(nil, 1, "huge"), 3, n*131072)
	f = appendString(f, 9, string(appendString(nil, 1, string(appendNumber(appendNumber(nil, 1, 5), 2, 5)))))
	f = appendNumber(f, 10, 1_000_000)
	for i := range uint64(n) {
		var b []byte
		b = appendNumber(appendNumber(b, 1, i*131072), 2, 131072)
		var hash [32]byte
		binary.BigEndian.PutUint64(hash[:], i)
		f = appendString(f, 16, string(appendString(b, 3, string(hash[:]))))
	}
	c := h.connect(t, nil)
	raw := frameOf(kindIndexUpdate, appendString(appendString(nil, 1, folderID), 2, string(f)))
	for range 5 {
		c.say(raw)
	}
	c.leave()
}
