package fsystest

import (
	"errors"
	"io/fs"

	"lanyard/sync/fsys"
)

func renameReplaces(w *world) {
	w.must(w.User.MkdirAll("d"))
	w.must(w.User.MkdirAll("e"))
	w.file("target", "never written")
	w.file("d/new", "new")
	w.file("d/old", "old")
	w.must(w.FS.Rename(p("d/new"), p("d/old")))
	w.holds("d/old", "new")
	w.kind("d/new", 0)
	w.must(w.FS.Rename(p("d/old"), p("e/moved")))
	w.holds("e/moved", "new")
	w.must(w.User.Symlink("../target", "d/l"))
	w.must(w.FS.Rename(p("e/moved"), p("d/l")))
	w.kind("d/l", fsys.Regular)
	w.holds("d/l", "new")
	w.holds("target", "never written")
}

func renameKeepsDirectories(w *world) {
	w.must(w.User.MkdirAll("empty"))
	w.must(w.User.MkdirAll("full/x"))
	w.must(w.User.MkdirAll("dir"))
	w.file("file", "x")
	for _, pair := range [][2]string{
		{"file", "empty"}, {"file", "full"}, {"dir", "empty"}, {"dir", "full"}, {"dir", "file"},
	} {
		w.wants(pair[0]+" onto "+pair[1], w.FS.Rename(p(pair[0]), p(pair[1])), fs.ErrExist)
	}
	w.holds("file", "x")
	w.kind("dir", fsys.Directory)
	w.kind("empty", fsys.Directory)
	if err := w.FS.Rename(p("full"), p("full/x/y")); err == nil {
		w.Error("a directory was moved below itself")
	}
	w.kind("full/x", fsys.Directory)
}

func renameDirectory(w *world) {
	w.must(w.User.MkdirAll("d/sub"))
	w.must(w.User.MkdirAll("e"))
	w.file("d/sub/a", "x")
	w.must(w.FS.Rename(p("d/sub"), p("e/sub")))
	w.holds("e/sub/a", "x")
	w.kind("d/sub", 0)
	w.must(w.FS.RenameNoReplace(p("e/sub"), p("e/again")))
	w.holds("e/again/a", "x")
}

func noReplace(w *world) {
	w.file("a", "a")
	w.file("b", "b")
	w.must(w.User.MkdirAll("d"))
	w.must(w.User.Symlink("nowhere", "l"))
	for _, taken := range []string{"b", "d", "l"} {
		w.wants("onto "+taken, w.FS.RenameNoReplace(p("a"), p(taken)), fs.ErrExist)
	}
	w.holds("b", "b")
	w.must(w.FS.RenameNoReplace(p("a"), p("d/c")))
	w.holds("d/c", "a")
	w.kind("a", 0)
	w.must(w.FS.RenameNoReplace(p("l"), p("d/l")))
	w.kind("d/l", fsys.Symlink)
	if err := w.User.Link("b", "twin"); err == nil {
		w.wants("onto another link of itself", w.FS.RenameNoReplace(p("b"), p("twin")), fs.ErrExist)
	}
}

func exchange(w *world) {
	w.must(w.User.MkdirAll("d"))
	w.file("a", "a")
	w.file("d/b", "b")
	err := w.FS.Exchange(p("a"), p("d/b"))
	if errors.Is(err, fsys.ErrUnsupported) {
		w.holds("a", "a")
		w.Skip("no exchange here")
	}
	w.must(err)
	w.holds("a", "b")
	w.holds("d/b", "a")
	w.must(w.User.MkdirAll("e/full"))
	w.must(w.FS.Exchange(p("a"), p("e")))
	w.kind("a/full", fsys.Directory)
	w.holds("e", "b")
	w.wants("with a missing name", w.FS.Exchange(p("e"), p("gone")), fs.ErrNotExist)
	w.wants("with what is below", w.FS.Exchange(p("a"), p("a/full")), fs.ErrInvalid)
}
