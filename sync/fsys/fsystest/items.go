package fsystest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

func names(entries []fsys.Entry) []string {
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.Name
	}
	return list
}

func listingIsComplete(w *world) {
	w.must(w.User.MkdirAll("d/a"))
	want := []string{"B", "a", "a-b", "a.txt", "z"}
	for _, n := range want {
		if n != "a" {
			w.file("d/"+n, n)
		}
	}
	list, err := w.FS.ReadDir(p("d"))
	w.must(err)
	if diff := cmp.Diff(want, names(list)); diff != "" {
		w.Error(diff)
	}
	bare, err := w.FS.ReadNames(p("d"))
	w.must(err)
	if diff := cmp.Diff(want, bare); diff != "" {
		w.Errorf("names alone: %s", diff)
	}
	for _, e := range list {
		i, err := w.FS.Lstat(p("d/" + e.Name))
		w.must(err)
		if i != e.Info {
			w.Errorf("%s: Lstat says %+v, the listing %+v", e.Name, i, e.Info)
		}
	}
	top, err := w.FS.ReadDir(relpath.Root)
	w.must(err)
	if diff := cmp.Diff([]string{"d"}, names(top)); diff != "" {
		w.Errorf("the root: %s", diff)
	}
}

func longListing(w *world) {
	var want []string
	w.must(w.User.MkdirAll("d"))
	long := strings.Repeat("long names need more than one read ", 6)
	for i := range 300 {
		n := fmt.Sprintf("%s%04d", long, i)
		w.file("d/"+n, "")
		want = append(want, n)
	}
	list, err := w.FS.ReadDir(p("d"))
	w.must(err)
	if diff := cmp.Diff(want, names(list)); diff != "" {
		w.Error(diff)
	}
}

func namesAreRaw(w *world) {
	want := []string{"e\u0301", "\u00e9", "\xff\xfe"}
	for _, n := range want {
		if err := w.User.WriteFile(n, nil); err != nil {
			w.Skipf("the system does not hold %q: %v", n, err)
		}
	}
	list, err := w.FS.ReadDir(relpath.Root)
	w.must(err)
	if diff := cmp.Diff(want, names(list)); diff != "" {
		w.Skipf("the system changes names: %s", diff)
	}
	for _, e := range list {
		i, err := w.FS.LstatRaw(relpath.Root, e.Name)
		if err != nil || i != e.Info {
			w.Errorf("LstatRaw(%q) = %+v, %v; the listing says %+v", e.Name, i, err, e.Info)
		}
	}
}

func renameRaw(w *world) {
	w.must(w.User.MkdirAll("d"))
	w.file("d/e\u0301", "decomposed")
	w.must(w.FS.RenameRaw(p("d"), "e\u0301", "\u00e9"))
	w.holds("d/\u00e9", "decomposed")
	w.file("d/taken", "other")
	w.wants("onto a taken name", w.FS.RenameRaw(p("d"), "\u00e9", "taken"), fs.ErrExist)
	w.holds("d/taken", "other")
	for _, bad := range []string{"", ".", "..", "a/b", "a\x00b", "../x"} {
		w.wants(fmt.Sprintf("renaming %q", bad), w.FS.RenameRaw(p("d"), bad, "x"), fs.ErrInvalid)
		w.wants(fmt.Sprintf("renaming to %q", bad), w.FS.RenameRaw(p("d"), "taken", bad), fs.ErrInvalid)
		_, err := w.FS.LstatRaw(p("d"), bad)
		w.wants(fmt.Sprintf("looking at %q", bad), err, fs.ErrInvalid)
	}
}

func create(w *world) {
	f, err := w.FS.Create(p("a"))
	w.must(err)
	i, err := f.Stat()
	w.must(err)
	if i.Kind != fsys.Regular || i.Size != 0 || !w.NoModes && i.Mode != 0o600 {
		w.Errorf("a new file is %+v, want empty and mode 0600", i)
	}
	w.must(f.Close())
	w.must(w.FS.Mkdir(p("d"), 0o700))
	w.must(w.User.Symlink("nowhere", "l"))
	for _, taken := range []string{"a", "d", "l"} {
		w.wants("creating "+taken, closeFile(w.FS.Create(p(taken))), fs.ErrExist)
		w.wants("making directory "+taken, w.FS.Mkdir(p(taken), 0o700), fs.ErrExist)
		w.wants("linking at "+taken, w.FS.Symlink("x", p(taken)), fs.ErrExist)
	}
	w.kind("nowhere", 0)
}

func readAndWrite(w *world) {
	f, err := w.FS.Create(p("a"))
	w.must(err)
	_, err = f.WriteAt([]byte("world"), 6)
	w.must(err)
	_, err = f.WriteAt([]byte("hello "), 0)
	w.must(err)
	f.Flush(0, 11)
	buf := make([]byte, 20)
	n, err := f.ReadAt(buf, 6)
	if string(buf[:n]) != "world" || err != io.EOF {
		w.Errorf("read %q, %v; want world and io.EOF itself", buf[:n], err)
	}
	w.must(f.Truncate(5))
	w.must(f.Truncate(7))
	w.must(f.Close())
	w.holds("a", "hello\x00\x00")

	r, err := w.FS.Open(p("a"))
	w.must(err)
	if _, err := r.WriteAt([]byte("x"), 0); err == nil {
		w.Error("a file opened for reading was written to")
	}
	w.must(r.Close())

	temp, err := w.FS.OpenTemp(p("a"))
	w.must(err)
	_, err = temp.WriteAt([]byte("J"), 0)
	w.must(err)
	w.must(temp.Close())
	w.holds("a", "Jello\x00\x00")
}

func reserve(w *world) {
	f, err := w.FS.Create(p("a"))
	w.must(err)
	w.must(f.Reserve(1 << 20))
	w.must(f.Reserve(0))
	i, err := f.Stat()
	w.must(err)
	if i.Size != 0 {
		w.Errorf("the size is %d after Reserve, want 0", i.Size)
	}
	_, err = f.WriteAt([]byte("abc"), 0)
	w.must(err)
	w.must(f.Close())
	w.holds("a", "abc")
}

// times to be kept: around the epoch, far back, far ahead, all digits used.
var times = []int64{0, 1, -1, -1_234_567_890_123_456_789 / 2, 1_234_567_890_123_456_789, 4_102_444_800_000_000_001}

func metadata(w *world) {
	w.file("a", "x")
	for _, want := range times {
		w.must(w.FS.Chtimes(p("a"), want))
		w.mtime("a", want)
	}
	f, err := w.FS.Create(p("b"))
	w.must(err)
	w.must(f.SetMeta(0o640, 1_600_000_000_123_456_789))
	w.must(f.Close())
	w.mtime("b", 1_600_000_000_123_456_789)
	if w.NoModes {
		return
	}
	w.mode("b", 0o640)
	for _, mode := range []uint32{0o755, 0o600, 0o400, 0o777} {
		w.must(w.FS.Chmod(p("a"), mode))
		w.mode("a", mode)
	}
}

func (w *world) mtime(path string, want int64) {
	w.Helper()
	if i, err := w.FS.Lstat(p(path)); err != nil || i.Mtime != want {
		w.Errorf("mtime of %s is %d (%v), want %d", path, i.Mtime, err, want)
	}
}

func (w *world) mode(path string, want uint32) {
	w.Helper()
	if i, err := w.FS.Lstat(p(path)); err != nil || i.Mode != want {
		w.Errorf("mode of %s is %o (%v), want %o", path, i.Mode, err, want)
	}
}

func directoryMode(w *world) {
	if w.NoModes {
		w.Skip("no permissions here")
	}
	w.must(w.FS.Mkdir(p("d"), 0o700))
	w.mode("d", 0o700)
	w.must(w.FS.Chmod(p("d"), 0o750))
	w.mode("d", 0o750)
	w.must(w.FS.Chtimes(p("d"), 5_000_000_001))
	w.mtime("d", 5_000_000_001)
}

func remove(w *world) {
	w.must(w.User.MkdirAll("d/e"))
	w.file("d/a", "x")
	w.must(w.User.Symlink("a", "d/l"))
	w.wants("a full directory", w.FS.Remove(p("d")), fsys.ErrNotEmpty)
	w.kind("d/a", fsys.Regular)
	w.must(w.FS.Remove(p("d/l")))
	w.kind("d/a", fsys.Regular)
	w.must(w.FS.Remove(p("d/a")))
	w.must(w.FS.Remove(p("d/e")))
	w.must(w.FS.Remove(p("d")))
	w.kind("d", 0)
}

func symlink(w *world) {
	w.must(w.FS.Mkdir(p("d"), 0o700))
	for i, target := range []string{"x", "../../up", "/etc/passwd", "\u00e9", string(bytes.Repeat([]byte("t/"), 500))} {
		name := fmt.Sprintf("d/l%d", i)
		if err := w.FS.Symlink(target, p(name)); errors.Is(err, fsys.ErrUnsupported) {
			w.Skip("no symlinks here")
		} else if err != nil {
			w.Fatal(err)
		}
		if got, err := w.FS.Readlink(p(name)); err != nil || got != target {
			w.Errorf("Readlink gives %q (%v), want %q", got, err, target)
		}
		w.kind(name, fsys.Symlink)
	}
	_, err := w.FS.Readlink(p("d"))
	w.wants("reading a directory as a link", err, fs.ErrInvalid)
}

func special(w *world) {
	if err := w.User.Special("fifo"); err != nil {
		w.Skipf("no FIFO here: %v", err)
	}
	w.kind("fifo", fsys.Other)
	list, err := w.FS.ReadDir(relpath.Root)
	w.must(err)
	if len(list) != 1 || list[0].Info.Kind != fsys.Other {
		w.Errorf("listing %+v, want one special file", list)
	}
	w.wants("opening a FIFO", closeFile(w.FS.Open(p("fifo"))), fsys.ErrNotRegular)
	w.wants("opening a FIFO as temporary file", closeFile(w.FS.OpenTemp(p("fifo"))), fsys.ErrNotRegular)
	w.wants("creating over a FIFO", closeFile(w.FS.Create(p("fifo"))), fs.ErrExist)
	w.wants("permissions of a FIFO", w.FS.Chmod(p("fifo"), 0o777), fsys.ErrNotRegular)
	_, err = w.FS.ReadDir(p("fifo"))
	w.wants("listing a FIFO", err, fsys.ErrNotDirectory)
}

func linkedTemp(w *world) {
	w.file("a", "x")
	if err := w.User.Link("a", "b"); err != nil {
		w.Skipf("no hard links here: %v", err)
	}
	w.wants("a file with two links", closeFile(w.FS.OpenTemp(p("a"))), fs.ErrPermission)
	w.must(closeFile(w.FS.Open(p("a"))))
}

func clone(w *world) {
	w.file("a", "content")
	f, err := w.FS.Clone(p("a"), p("b"))
	if errors.Is(err, fsys.ErrUnsupported) {
		w.kind("b", 0)
		w.wants("asked again", closeFile(w.FS.Clone(p("a"), p("b"))), fsys.ErrUnsupported)
		w.Skip("no clones here")
	}
	w.must(err)
	_, err = f.WriteAt([]byte("C"), 0)
	w.must(err)
	w.must(f.Close())
	w.holds("a", "content")
	w.holds("b", "Content")
	w.wants("onto a taken name", closeFile(w.FS.Clone(p("a"), p("b"))), fs.ErrExist)
}

func syncing(w *world) {
	var files []fsys.File
	var dirs []relpath.Path
	for i := range 12 {
		dir := p(fmt.Sprintf("d%d", i))
		w.must(w.FS.Mkdir(dir, 0o700))
		f, err := w.FS.Create(p(dir.String() + "/a"))
		w.must(err)
		_, err = f.WriteAt([]byte("x"), 0)
		w.must(err)
		files, dirs = append(files, f), append(dirs, dir)
	}
	for _, n := range []int{0, 1, len(files)} {
		w.must(w.FS.SyncFiles(files[:n]))
		w.must(w.FS.SyncDirs(dirs[:n]))
	}
	for _, f := range files {
		w.must(f.Close())
	}
	w.must(w.FS.SyncDirs([]relpath.Path{relpath.Root, relpath.Root}))
}

func freeAndCheck(w *world) {
	free, total, err := w.FS.Free()
	if err != nil || total == 0 || free > total {
		w.Errorf("free %d of %d, %v", free, total, err)
	}
	w.must(w.FS.Check())
	w.file("letters", "x")
	_, err = w.FS.Lstat(p("LETTERS"))
	if found := err == nil; found == w.FS.CaseSensitive() {
		w.Errorf("CaseSensitive is %v, and another case is found: %v", w.FS.CaseSensitive(), found)
	}
}

func missing(w *world) {
	w.file("plain", "x")
	for _, c := range slices.Concat(calls, optional) {
		if err := c.do(w.FS, p("gone/x")); !errors.Is(err, fsys.ErrUnsupported) {
			w.wants(c.name, err, fs.ErrNotExist)
		}
	}
	for _, name := range []string{"Lstat", "ReadDir", "Open", "Rename from", "Remove", "Chmod", "Chtimes", "Readlink"} {
		i := slices.IndexFunc(calls, func(c call) bool { return c.name == name })
		w.wants(name, calls[i].do(w.FS, p("gone")), fs.ErrNotExist)
	}
	w.holds("plain", "x")
}

func rootIsNoItem(w *world) {
	i, err := w.FS.Lstat(relpath.Root)
	if err != nil || i.Kind != fsys.Directory {
		w.Errorf("the root is %+v, %v", i, err)
	}
	w.file("plain", "x")
	for _, c := range calls {
		if slices.Contains([]string{"Lstat", "ReadDir", "ReadNames"}, c.name) {
			continue
		}
		w.wants(c.name+" of the root", c.do(w.FS, relpath.Root), fs.ErrInvalid)
	}
	w.holds("plain", "x")
}
