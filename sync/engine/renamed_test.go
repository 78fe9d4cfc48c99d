package engine

import (
	"os"
	"testing"
)

// A directory that is renamed while the devices are apart is renamed on the
// other one as well: it is the same directory as before, and its files come
// from nowhere else.
func TestARenamedDirectoryStaysTheSameDirectory(t *testing.T) {
	a, b := connectedPair(t)
	must(t, os.MkdirAll(a.path("old/sub"), 0o755))
	a.write("old/one", "one")
	a.write("old/sub/two", "two")
	a.scanned()
	a.inSync(b)
	b.awaitFile("old/sub/two", "two")
	before, err := os.Stat(b.path("old"))
	must(t, err)

	renameApart(a, b, "old", "new")
	b.awaitFile("new/sub/two", "two")
	after, err := os.Stat(b.path("new"))
	must(t, err)
	if !os.SameFile(before, after) {
		t.Error("the directory with the new name is another one")
	}
	if _, err := os.Stat(b.path("old")); err == nil {
		t.Error("the old name still stands there")
	}
}

// renameApart renames something on a while b is not connected, so that b hears of
// both names at once, and waits until b has that.
func renameApart(a, b *node, from, to string) {
	a.t.Helper()
	pause := func(yes bool) { a.want(func(d *Desired) { d.Devices[0].Paused = yes }) }
	pause(true)
	a.awaitConnected(b, false)
	must(a.t, os.Rename(a.path(from), a.path(to)))
	a.scanned()
	pause(false)
	a.awaitConnected(b, true)
	a.inSync(b)
}
