//go:build unix

package e2e_test

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The numbers in the names of these tests are those of the interop checklist
// in docs/testing.md.

// bigSize is a file whose blocks are larger than the smallest size: 300 MB
// have blocks of 256 KiB.
const bigSize = 300_000_000

// largeSize is the size of a file where only the time of its way matters: in
// the short form it is over sooner.
func largeSize() int {
	if long() {
		return bigSize
	}
	return bigSize / 4
}

// oneBlock bounds the bytes that an index entry and one block of such a file
// take; without a block it stays below noBlock.
const (
	noBlock  = 200_000
	oneBlock = 256<<10 + noBlock
)

// newOurs gives the node under test: Lanyard, unless the test tests itself.
func newOurs(t *testing.T, name string) node {
	t.Helper()
	if os.Getenv("LANYARD_E2E_OURS") == "syncthing" {
		return newSyncthing(t, name)
	}
	return newLanyard(t, name)
}

// eachWay runs a test between Lanyard and Syncthing: with each side dialing,
// and with the changes made on each side.
func eachWay(t *testing.T, test func(t *testing.T, from, to node)) {
	t.Helper()
	if !needSyncthing(t) {
		return
	}
	t.Parallel()
	for _, d := range directions {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := newOurs(t, "ours"), newSyncthing(t, "theirs")
			connect(t, ours, theirs, d)
			t.Run("syncthing sends", func(t *testing.T) { test(t, theirs, ours) })
			t.Run("syncthing receives", func(t *testing.T) { test(t, ours, theirs) })
		})
	}
}

func TestInterop19AnEmptyFolderIsInSync(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to node) {
		if all := converge(t, patience, from, to); len(all) != 0 {
			t.Errorf("an empty folder holds %v", all)
		}
	})
}

func TestInterop20And29EveryKindOfEntryArrivesExactly(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to node) {
		base := "set from " + filepath.Base(from.Dir())
		makeSet(t, filepath.Join(from.Dir(), base), seedOf(from))
		if _, ok := from.(*syncthing); ok { // which composes the name on its disk
			write(t, from.Dir(), base+"/decomposed cafe\u0301", []byte("decomposed"))
		}
		all := converge(t, copying, from, to)
		if n := len(all.names("", func(name string) bool { return strings.HasPrefix(name, base+"/") })); n < 1000 {
			t.Errorf("only %d names of the set are there", n)
		}
		empty(t, from)
		converge(t, copying, from, to)
	})
}

// seedOf gives each node content of its own, so that no block is at hand
// already.
func seedOf(n node) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(n.Dir())) // never fails
	return h.Sum64()
}

// makeSet makes one of everything that a folder may hold.
func makeSet(t *testing.T, root string, seed uint64) {
	t.Helper()
	for _, size := range []int{0, 1, 131071, 131072, 131073} {
		write(t, root, fmt.Sprintf("size %d", size), random(size, seed+uint64(size)))
		dated(t, root, fmt.Sprintf("size %d", size), time.Unix(1_600_000_000+int64(size), 123_456_789))
	}
	write(t, root, "big", random(largeSize(), seed))
	write(t, root, "run me", []byte("#!/bin/sh\n"))
	must(t, os.Chmod(filepath.Join(root, "run me"), 0o755))
	must(t, os.Symlink("size 1", filepath.Join(root, "link")))
	must(t, os.Symlink("../nowhere/at all", filepath.Join(root, "dangling")))
	write(t, root, "caf\u00e9", []byte("composed"))
	write(t, root, strings.Repeat("n", 200), []byte("long name"))
	deep := root
	for i := range 1000 {
		must(t, os.MkdirAll(filepath.Join(root, fmt.Sprintf("dirs/%d/%d", i/40, i)), 0o750))
	}
	for range 50 {
		deep = filepath.Join(deep, "down")
	}
	must(t, os.MkdirAll(deep, 0o755))
}

func TestInterop21ManySmallFilesArriveInBatches(t *testing.T) {
	count := 2_500
	if long() {
		count = 50_000
	}
	eachWay(t, func(t *testing.T, from, to node) {
		base := "many from " + filepath.Base(from.Dir())
		for i := range count {
			write(t, from.Dir(), fmt.Sprintf("%s/%03d/%d", base, i/100, i), random(i%3000, seedOf(from)+uint64(i)))
		}
		converge(t, 2*copying, from, to)
	})
}

func TestInterop22To26ABigFileChangesAndNoByteIsSentTwice(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to node) {
		name := "big from " + filepath.Base(from.Dir())
		path := filepath.Join(from.Dir(), name)
		// A file first seen half-written keeps the block size that it had then,
		// and another name the one of its size: a rename would match no block.
		place(t, from.Dir(), name, random(bigSize, seedOf(from)))
		converge(t, copying, from, to)

		costs(t, "22: one changed block", oneBlock, from, to, func() {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			must(t, err)
			_, err = f.WriteAt([]byte("changed in "+name), bigSize/2)
			must(t, err)
			must(t, f.Close())
		})
		costs(t, "25: another time", noBlock, from, to, func() {
			dated(t, from.Dir(), name, time.Unix(1_500_000_000, 42))
		})
		costs(t, "25: another mode", noBlock, from, to, func() { must(t, os.Chmod(path, 0o755)) })
		costs(t, "23: another name", noBlock, from, to, func() { must(t, os.Rename(path, path+" renamed")) })
		costs(t, "26: a sparse file", noBlock, from, to, func() {
			f, err := os.Create(filepath.Join(from.Dir(), "sparse from "+filepath.Base(from.Dir())))
			must(t, err)
			must(t, f.Truncate(bigSize))
			must(t, f.Close())
		})
		empty(t, from) // or every later look at the trees reads it all
		converge(t, copying, from, to)
	})
}

// empty removes what a user has in a folder.
func empty(t *testing.T, n node) {
	t.Helper()
	entries, err := os.ReadDir(n.Dir())
	must(t, err)
	for _, e := range entries {
		if !ours(e.Name()) {
			must(t, os.RemoveAll(filepath.Join(n.Dir(), e.Name())))
		}
	}
}

// costs makes a change and checks how many bytes its way to the other node took.
func costs(t *testing.T, what string, limit int64, from, to node, change func()) {
	t.Helper()
	in, _ := to.Traffic(t)
	change()
	converge(t, copying, from, to)
	after, _ := to.Traffic(t)
	t.Logf("%s: %d bytes", what, after-in)
	if after-in > limit {
		t.Errorf("%s took %d bytes, want at most %d", what, after-in, limit)
	}
}

func TestInterop24DeletionsKeepWhatIsIgnored(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to node) {
		base := "gone from " + filepath.Base(from.Dir())
		for _, name := range []string{"file", "tree/a/b/c", "kept/x", "swept/x"} {
			write(t, from.Dir(), base+"/"+name, []byte(name))
		}
		write(t, to.Dir(), ".stignore", []byte("*.mine\n(?d)*.scrap\n"))
		converge(t, patience, from, to)
		write(t, to.Dir(), base+"/kept/note.mine", []byte("mine"))
		write(t, to.Dir(), base+"/swept/note.scrap", []byte("scrap"))
		to.Scan(t)

		for _, name := range []string{"file", "tree", "kept", "swept"} {
			must(t, os.RemoveAll(filepath.Join(from.Dir(), base, name)))
		}
		from.Scan(t)
		at := func(name string) string { return filepath.Join(to.Dir(), base, name) }
		eventually(t, patience, "deletions arrive", func() error {
			for _, name := range []string{"file", "tree", "swept", "kept/x"} {
				if _, err := os.Lstat(at(name)); !os.IsNotExist(err) {
					return fmt.Errorf("%s is still there", name)
				}
			}
			return nil
		})
		if got, err := os.ReadFile(at("kept/note.mine")); err != nil || !bytes.Equal(got, []byte("mine")) {
			t.Errorf("an ignored file in a deleted directory: %q, %v", got, err)
		}
		must(t, os.RemoveAll(filepath.Join(to.Dir(), base, "kept")))
		must(t, os.Remove(filepath.Join(to.Dir(), ".stignore")))
		converge(t, patience, from, to)
	})
}

func TestInterop28AFileThatChangesWhileItIsSentArrivesInTheEnd(t *testing.T) {
	eachWay(t, func(t *testing.T, from, to node) {
		name := "moving from " + filepath.Base(from.Dir())
		write(t, from.Dir(), name, random(largeSize(), seedOf(from)))
		from.Scan(t)
		in, _ := to.Traffic(t)
		until(t, patience, "the transfer begins", func() bool {
			now, _ := to.Traffic(t)
			return now-in > 1<<20
		})
		write(t, from.Dir(), name, random(largeSize(), seedOf(from)+1))
		converge(t, copying, from, to)
	})
}

func TestInterop31AReconnectWithoutChangesSendsNoIndex(t *testing.T) {
	if !needSyncthing(t) {
		return
	}
	t.Parallel()
	for _, d := range directions {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := newOurs(t, "ours"), newSyncthing(t, "theirs")
			for i := range 2000 {
				write(t, ours.Dir(), fmt.Sprintf("%d/ours %d", i%9, i), random(10, uint64(i)))
				write(t, theirs.Dir(), fmt.Sprintf("%d/theirs %d", i%9, i), random(10, uint64(i)))
			}
			connect(t, ours, theirs, d)
			converge(t, copying, ours, theirs)
			for _, n := range []node{ours, theirs} {
				n.Stop(t)
				n.Start(t)
				connected(t, ours, theirs)
				converge(t, patience, ours, theirs)
				// 4,000 entries take some 400 KB, even compressed.
				if in, out := ours.Traffic(t); in+out > 50_000 {
					t.Errorf("after %s came back %d bytes went over", filepath.Base(n.Dir()), in+out)
				}
			}
		})
	}
}
