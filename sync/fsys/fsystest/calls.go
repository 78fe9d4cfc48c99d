package fsystest

import (
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// call is one method used on one name.
type call struct {
	name string
	do   func(f fsys.FS, p relpath.Path) error
}

// calls are all methods that take a name. Those that need a second one use
// "plain", a file of the folder's top, and "free", which does not exist.
var calls = []call{
	{"Lstat", func(f fsys.FS, p relpath.Path) error { _, err := f.Lstat(p); return err }},
	{"LstatRaw", func(f fsys.FS, p relpath.Path) error { _, err := f.LstatRaw(p.Dir(), p.Base()); return err }},
	{"ReadDir", func(f fsys.FS, p relpath.Path) error { _, err := f.ReadDir(p); return err }},
	{"ReadNames", func(f fsys.FS, p relpath.Path) error { _, err := f.ReadNames(p); return err }},
	{"Open", func(f fsys.FS, p relpath.Path) error { return closeFile(f.Open(p)) }},
	{"Create", func(f fsys.FS, p relpath.Path) error { return closeFile(f.Create(p)) }},
	{"OpenTemp", func(f fsys.FS, p relpath.Path) error { return closeFile(f.OpenTemp(p)) }},
	{"Rename from", func(f fsys.FS, p relpath.Path) error { return f.Rename(p, path("free")) }},
	{"Rename to", func(f fsys.FS, p relpath.Path) error { return f.Rename(path("plain"), p) }},
	{"RenameNoReplace from", func(f fsys.FS, p relpath.Path) error {
		return f.RenameNoReplace(p, path("free"))
	}},
	{"RenameNoReplace to", func(f fsys.FS, p relpath.Path) error {
		return f.RenameNoReplace(path("plain"), p)
	}},
	{"RenameRaw", func(f fsys.FS, p relpath.Path) error { return f.RenameRaw(p.Dir(), p.Base(), "free") }},
	{"Remove", func(f fsys.FS, p relpath.Path) error { return f.Remove(p) }},
	{"Mkdir", func(f fsys.FS, p relpath.Path) error { return f.Mkdir(p, 0o700) }},
	{"Chmod", func(f fsys.FS, p relpath.Path) error { return f.Chmod(p, 0o600) }},
	{"Chtimes", func(f fsys.FS, p relpath.Path) error { return f.Chtimes(p, 1e18) }},
	{"Symlink", func(f fsys.FS, p relpath.Path) error { return f.Symlink("x", p) }},
	{"Readlink", func(f fsys.FS, p relpath.Path) error { _, err := f.Readlink(p); return err }},
}

// optional are the methods that a file system may not have at all.
var optional = []call{
	{"Exchange first", func(f fsys.FS, p relpath.Path) error { return f.Exchange(p, path("plain")) }},
	{"Exchange second", func(f fsys.FS, p relpath.Path) error { return f.Exchange(path("plain"), p) }},
	{"Link from", func(f fsys.FS, p relpath.Path) error { return f.Link(p, path("free")) }},
	{"Link to", func(f fsys.FS, p relpath.Path) error { return f.Link(path("plain"), p) }},
	{"Clone from", func(f fsys.FS, p relpath.Path) error { return closeFile(f.Clone(p, path("free"))) }},
	{"Clone to", func(f fsys.FS, p relpath.Path) error { return closeFile(f.Clone(path("plain"), p)) }},
}

func path(s string) relpath.Path { return relpath.MustParse(s) }

func path1(s string) []relpath.Path { return []relpath.Path{path(s)} }
