package fsystest

import (
	"errors"
	"io/fs"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
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

func link(w *world) {
	w.must(w.User.MkdirAll("d"))
	w.must(w.User.MkdirAll("e"))
	w.file("d/a", "a")
	w.file("taken", "taken")
	err := w.FS.Link(p("d/a"), p("e/twin"))
	if errors.Is(err, fsys.ErrUnsupported) {
		w.kind("e/twin", 0)
		w.Skip("no links here")
	}
	w.must(err)
	w.must(w.FS.Link(p("d/a"), p("d/triplet")))
	w.file("d/a", "written in place")
	w.holds("e/twin", "written in place")
	w.holds("d/triplet", "written in place")
	w.must(w.FS.Remove(p("d/a")))
	w.holds("e/twin", "written in place")
	w.wants("onto a taken name", w.FS.Link(p("e/twin"), p("taken")), fs.ErrExist)
	w.holds("taken", "taken")
	w.wants("of a missing name", w.FS.Link(p("gone"), p("free")), fs.ErrNotExist)
	w.wants("of a directory", w.FS.Link(p("d"), p("free")), fsys.ErrNotRegular)
	w.must(w.User.Symlink("taken", "l"))
	w.wants("of a symlink", w.FS.Link(p("l"), p("free")), fsys.ErrNotRegular)
	w.kind("free", 0)
}

func supersede(w *world) {
	w.must(w.User.MkdirAll("d"))
	w.file("a", "old")
	w.file("ready", "new")
	look, err := w.FS.Lstat(p("a"))
	w.must(err)
	ok, err := fsys.Supersede(w.FS, p("ready"), p("a"), p("d/kept"), nil, look)
	if errors.Is(err, fsys.ErrUnsupported) {
		w.holds("a", "old")
		w.kind("d/kept", 0)
		w.Skip("no links here")
	}
	w.must(err)
	if !ok {
		w.Error("a file that nobody touched did not give way")
	}
	w.holds("a", "new")
	w.holds("d/kept", "old")
	w.kind("ready", 0)

	w.file("ready", "newer")
	look, err = w.FS.Lstat(p("a"))
	w.must(err)
	for _, edit := range []struct {
		name string
		f    fsys.FS
	}{
		{"before the first look", savesAt{w.FS, w.User, "link"}},
		{"before the rename", savesAt{w.FS, w.User, "rename"}},
	} {
		ok, err = fsys.Supersede(edit.f, p("ready"), p("a"), p("d/again"), nil, look)
		w.must(err)
		if ok {
			w.Errorf("a file that was saved %s gave way", edit.name)
		}
		w.holds("a", "what a person saved")
		w.holds("ready", "newer")
		w.kind("d/again", 0)
		w.file("a", "new")
		look, err = w.FS.Lstat(p("a"))
		w.must(err)
	}
}

// savesAt has a person save a file in place just before a call.
type savesAt struct {
	fsys.FS
	user Hands
	call string
}

func (s savesAt) Link(old, new relpath.Path) error {
	if s.call == "link" {
		if err := s.user.WriteFile("a", []byte("what a person saved")); err != nil {
			return err
		}
	}
	return s.FS.Link(old, new)
}

func (s savesAt) Rename(old, new relpath.Path) error {
	if s.call == "rename" && old == p("ready") {
		if err := s.user.WriteFile("a", []byte("what a person saved")); err != nil {
			return err
		}
	}
	return s.FS.Rename(old, new)
}
