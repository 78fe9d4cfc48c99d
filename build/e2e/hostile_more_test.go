//go:build unix

package e2e_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/quic-go/quic-go"
)

func manyCounters(t *testing.T, s *siege, h *hostile) {
	version := func(n int, value func(i int) uint64, id func(i int) uint64) [][2]uint64 {
		var v [][2]uint64
		for i := range n {
			v = append(v, [2]uint64{id(i), value(i)})
		}
		return v
	}
	one := func(int) uint64 { return 1 }
	up := func(i int) uint64 { return uint64(i + 1) }
	refused := map[string][][2]uint64{
		"10^4 counters":         version(10_000, one, up),
		"129 counters":          version(129, one, up),
		"counters out of order": version(5, one, func(i int) uint64 { return uint64(10 - i) }),
		"one counter twice":     version(2, one, one),
		"a counter over 2^62":   version(1, func(int) uint64 { return 1<<62 + 1 }, one),
		"the largest counter":   version(1, func(int) uint64 { return math.MaxUint64 }, one),
	}
	for name, v := range refused {
		c := h.connect(t, nil)
		h.announce(c, entry{name: "counters", kind: 1, version: v})
		if err := c.dropped(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := h.connect(t, nil)
	for i := range 50 {
		h.announce(c, entry{name: fmt.Sprintf("counters-%d", i), kind: 1, mode: 0o755, version: version(128, func(int) uint64 { return 1 << 62 }, up)})
	}
	h.arrives(t, s, c, "after-the-counters")
	c.leave()
}

// ownCounter forges versions that the daemon itself seems to have made. What
// people save afterwards must reach the honest device all the same, also
// where the forged version leaves no room for another.
func ownCounter(t *testing.T, s *siege, h *hostile) {
	own := shortID(t, s.ours)
	full := make([][2]uint64, 0, 128)
	for i := range uint64(128) {
		full = append(full, [2]uint64{i + 1, 1 << 62})
	}
	versions := map[string][][2]uint64{
		"one more":              {{own, uint64(time.Now().Unix()) + 1000}},
		"the largest":           {{own, 1 << 62}},
		"128 counters":          full,
		"128 and ours the last": append(full[:127:127], [2]uint64{own, 1 << 62}),
	}
	forged := []byte("forged\n")
	contents := map[string][]byte{}
	c := h.connect(t, serving(contents))
	for name, v := range versions {
		file := "own " + name
		contents[file] = forged
		if name != "128 counters" { // which do not follow a version of ours
			write(t, s.ours.dir, file, []byte("first\n"))
			s.ours.Scan(t)
		}
		h.announce(c, fileOf(file, forged, v))
		// A counter of ours that we never gave tells that we forgot something: then
		// ours stands beside it, and which of the two wins is no matter here.
		h.arrives(t, s, c, "after-"+strings.ReplaceAll(name, " ", "-"))
		eventually(t, patience, "the forged version of "+name+" or ours", func() error {
			if name != "128 counters" && s.both(file, []byte("first\n")) == nil {
				return nil
			}
			return s.both(file, forged)
		})
		mine := []byte("second, " + name + "\n")
		write(t, s.ours.dir, file, mine)
		eventually(t, patience, "what was saved over "+name, func() error { return s.both(file, mine) })
		theirs := []byte("third, " + name + "\n")
		write(t, s.honest.dir, file, theirs)
		eventually(t, patience, "what the honest device saved over "+name, func() error { return s.both(file, theirs) })
	}
	// A forged version whose bytes nobody has takes nothing away.
	write(t, s.ours.dir, "never", []byte("mine\n"))
	s.ours.Scan(t)
	h.announce(c, fileOf("never", random(1000, 4), [][2]uint64{{own, math.MaxUint32}}))
	h.arrives(t, s, c, "after-the-forgery")
	must(t, holds(filepath.Join(s.ours.dir, "never"), []byte("mine\n")))
	c.leave()
}

// both gives nil once the file has its content on both devices.
func (s *siege) both(name string, content []byte) error {
	return errors.Join(holds(filepath.Join(s.ours.dir, name), content), holds(filepath.Join(s.honest.dir, name), content))
}

func holds(path string, content []byte) error {
	got, err := os.ReadFile(path)
	if err == nil && string(got) != string(content) {
		err = fmt.Errorf("%s holds %.40q, want %.40q", path, got, content)
	}
	return err
}

// hugeFiles offers files of zeros and of blocks that it never sends: ones that
// no disk holds, with the longest list that there may be, and ones that it could
// hold.
func hugeFiles(t *testing.T, s *siege, h *hostile) {
	c := h.connect(t, nil)
	for _, size := range []struct{ blocks, step int }{{100, 16 << 20}, {262_144, 16 << 20}, {200_000, 128 << 10}} {
		zero := sha256.Sum256(make([]byte, size.step))
		other := sha256.Sum256([]byte("other"))
		for i, hash := range [][32]byte{zero, other} {
			e := entry{
				name: fmt.Sprintf("huge-%d-%d-%d", i, size.blocks, size.step), size: uint64(size.blocks) * uint64(size.step),
				blockSize: uint64(size.step), version: version1, mode: 0o644,
			}
			for n := range uint64(size.blocks) {
				b := appendNumber(appendNumber(nil, 1, n*uint64(size.step)), 2, uint64(size.step))
				e.blocks = append(e.blocks, appendString(b, 3, string(hash[:])))
			}
			h.announce(c, e)
		}
	}
	h.arrives(t, s, c, "after-the-offers")
	c.leave()
	// A size without the blocks for it, and one that overflows.
	for _, size := range []uint64{1 << 60, math.MaxInt64, math.MaxUint64} {
		c := h.connect(t, nil)
		e := fileOf("size", []byte("x"), version1)
		e.size = size
		h.announce(c, e)
		if err := c.dropped(); err != nil {
			t.Errorf("size %d: %v", size, err)
		}
	}
	c = h.connect(t, nil)
	h.arrives(t, s, c, "after-the-huge")
	c.leave()
}

func nosyRequests(t *testing.T, s *siege, h *hostile) {
	secret := []byte("nobody's business\n")
	block := sharedFile[:131072]
	temp := ".syncthing.file.0123456789abcdef.tmp"
	write(t, s.ours.dir, temp, block)
	t.Cleanup(func() { os.Remove(filepath.Join(s.ours.dir, temp)) })
	refused := map[string][]byte{
		"a folder that is not theirs": request(1, "other", "file", 0, block, len(block)),
		"an ignored file":             request(1, folderID, "hidden.log", 0, []byte("ignored\n"), 8),
		"a temporary file":            request(1, folderID, temp, 0, block, len(block)),
		"the rules":                   request(1, folderID, ".stignore", 0, []byte("*.log\n"), 6),
		"the marker":                  request(1, folderID, ".stfolder", 0, nil, 10),
		"another hash":                request(1, folderID, "file", 0, secret, len(block)),
		"no hash":                     request(1, folderID, "file", 0, nil, len(block)),
		"behind a link":               request(1, folderID, "out/secret", 0, secret, len(secret)),
		"behind an inner link":        request(1, folderID, "in/kept", 0, []byte("kept\n"), 5),
		"a link":                      request(1, folderID, "out", 0, secret, len(secret)),
		"a directory":                 request(1, folderID, "inside", 0, secret, len(secret)),
		"past the end":                request(1, folderID, "file", 1<<40, block, len(block)),
		"more than there is":          request(1, folderID, "file", 131072, block, len(block)),
		"most that may be asked":      request(1, folderID, "file", 0, block, 16<<20+64<<10),
	}
	for name, body := range refused {
		got := make(chan rawMessage, 10)
		c := h.connect(t, func(_ *rawClient, m rawMessage) {
			if m.kind == kindResponse {
				got <- m
			}
		})
		c.say(frameOf(kindRequest, body))
		select {
		case m := <-got:
			if r := parse(m.body); r.number(3) == 0 || len(r.bytes(2)) > 0 {
				t.Errorf("%s: code %d and %d bytes", name, r.number(3), len(r.bytes(2)))
			}
		case <-c.conn.Context().Done():
		case <-time.After(patience):
			t.Errorf("%s: no answer", name)
		}
		c.leave()
	}
	for _, size := range []int64{-1, -65536, 16<<20 + 64<<10 + 1, math.MaxInt32, math.MinInt32} {
		for _, offset := range []int64{0, -1, math.MaxInt64 - 1} {
			c := h.connect(t, nil)
			c.say(frameOf(kindRequest, request(1, folderID, "file", offset, block, int(size))))
			if err := c.dropped(); err != nil {
				t.Errorf("size %d at %d: %v", size, offset, err)
			}
		}
	}
}

func oddSequences(t *testing.T, s *siege, h *hostile) {
	c := h.connect(t, nil)
	for _, seq := range []uint64{1 << 62, 5, 5, 4, 0, math.MaxInt64, 1} {
		e := entry{name: fmt.Sprintf("seq-%d", seq), kind: 1, mode: 0o755, version: version1, seq: seq}
		c.say(frameOf(kindIndexUpdate, indexOf(folderID, e)))
	}
	h.arrives(t, s, c, "after-the-sequences")
	c.leave()
	for _, bad := range [][]byte{
		indexOf(folderID, entry{name: "seq", kind: 1, version: version1, seq: math.MaxUint64}),
		appendNumber(indexOf(folderID), 3, math.MaxUint64),
		indexOf(folderID, entry{name: "twice", kind: 1, version: version1, seq: 1}, entry{name: "twice", kind: 1, version: version1, seq: 2}),
		indexOf("a folder that is not shared", entry{name: "x", kind: 1, version: version1, seq: 1}),
	} {
		c := h.connect(t, nil)
		c.say(frameOf(kindIndexUpdate, bad))
		if err := c.dropped(); err != nil {
			t.Errorf("index %x: %v", bad, err)
		}
	}
}

// halfMessages stops at every kind of place, and leaves in every way.
func halfMessages(t *testing.T, _ *siege, h *hostile) {
	whole := frameOf(kindIndexUpdate, indexOf(folderID, fileOf("half", []byte("half"), version1)))
	for i := 0; i < len(whole); i += 4 {
		c := h.connect(t, nil)
		c.say(whole[:i])
		switch i % 3 {
		case 1:
			must(t, c.stream.Close())
		case 2:
			c.stream.CancelWrite(7)
			c.stream.CancelRead(7)
		}
		c.leave()
	}
	c, err := dialRaw(t, h.to, tlsFor("bep/1.0", h.cert))
	must(t, err)
	for _, b := range hello("slow")[:10] {
		c.say([]byte{b})
	}
	c.leave()
}

// oddStrings puts what would move a cursor or turn a text around wherever a
// string can be shown.
func oddStrings(t *testing.T, s *siege, h *hostile) {
	odd := "\x1b]0;owned\x07\u202eevil\u2066\r\n\t" + strings.Repeat("long ", 1000) + "<script>"
	theirs := deviceOf(t, s.ours)
	c, err := dialRaw(t, h.to, tlsFor("bep/1.0", h.cert))
	must(t, err)
	c.say(hello(odd))
	folder := func(id, label string) []byte {
		f := appendString(appendString(nil, 1, id), 2, label)
		for _, d := range []string{string(h.id[:]), string(theirs[:])} {
			f = appendString(f, 16, string(appendString(appendString(appendString(nil, 1, d), 2, odd), 3, odd)))
		}
		return appendString(nil, 1, string(f))
	}
	body := folder(folderID, odd)
	body = append(body, folder("offered", odd)...)
	body = append(body, folder(odd, odd)...)
	body = append(body, folder(odd+strings.Repeat("x", 100_000), odd)...)
	c.say(frameOf(kindClusterConfig, body))
	eventually(t, patience, "the offer is shown", func() error {
		text, err := s.ours.try("status", "--json")
		if err == nil && !strings.Contains(text, `"offered"`) {
			err = errors.New("it is not there")
		}
		return err
	})
	text, err := s.ours.try("status", "--json")
	must(t, err)
	if len(text) > 100_000 {
		t.Errorf("the status is %d bytes long", len(text))
	}
	for _, args := range [][]string{{"status", "--json"}, {"status"}} {
		text, err := s.ours.try(args...)
		must(t, err)
		for _, r := range text {
			if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
				t.Errorf("%v prints %U", args, r)
				break
			}
		}
		for _, escape := range []string{`\u001b`, `\u202e`, `\u2066`, `\r`, `\u0007`} {
			if strings.Contains(text, escape) {
				t.Errorf("%v prints %s", args, escape)
			}
		}
	}
	c.leave()
}

// strangers come in numbers: some greet, some say nothing, some cannot even
// finish a handshake.
func strangers(t *testing.T, s *siege, h *hostile) {
	var kept []*quic.Conn
	for i := range 40 {
		cert, _ := identity(t, "syncthing")
		c, err := dialRaw(t, s.ours, tlsFor("bep/1.0", cert))
		if err != nil {
			continue // refused: as it should be from the fifth on
		}
		kept = append(kept, c.conn)
		switch i % 3 {
		case 0:
			c.say(hello("stranger"))
		case 1:
			c.say(hello("stranger")[:3])
		}
	}
	for range 40 {
		if c, err := dialRaw(t, s.ours, tlsFor("bep/1.0")); err == nil {
			kept = append(kept, c.conn)
		}
	}
	c := h.connect(t, nil)
	h.arrives(t, s, c, "after-the-strangers")
	c.leave()
	for _, c := range kept {
		_ = c.CloseWithError(0, "") // it may have ended
	}
}

// slowLoris begins a message and goes on with one byte a second. The result
// waits until the daemon has had enough.
func slowLoris(t *testing.T, h *hostile) (wait func() error) {
	c := h.connect(t, nil)
	frame := frameOf(kindIndexUpdate, make([]byte, 1000))
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for _, b := range frame {
			<-tick.C
			if !c.say([]byte{b}) {
				return
			}
		}
	}()
	return func() error {
		if err := c.dropped(); err != nil {
			return fmt.Errorf("one byte a second: %w", err)
		}
		return nil
	}
}

// neverReads asks for far more than its connection holds and reads nothing.
// Whether it is held at bay or sent away is the daemon's choice.
func neverReads(t *testing.T, h *hostile) (leave func()) {
	c, err := dialRaw(t, h.to, tlsFor("bep/1.0", h.cert))
	must(t, err)
	c.say(hello("never reads"))
	c.say(frameOf(kindClusterConfig, clusterConfig(folderID, h.id, deviceOf(t, h.to))))
	go func() {
		for i := 0; ; i++ {
			raw := frameOf(kindRequest, request(i, folderID, "file", 0, sharedFile[:131072], 131072))
			if !c.say(raw) {
				return
			}
		}
	}()
	return c.leave
}
