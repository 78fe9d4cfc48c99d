package fsystest

import (
	"errors"
	"slices"
	"sync"

	"lanyard/sync/fsys"
)

// rounds of an attack: each calls every method once.
const rounds = 25

// lure makes the directory that a link inside the folder points at, and gives
// the targets to try: it, and what is outside.
func (w *world) lure() []string {
	w.must(w.User.MkdirAll("lure/x"))
	w.file("lure/file", "lure")
	w.file("plain", "plain")
	targets := []string{"lure"}
	if w.Outside != "" {
		targets = append(targets, w.Outside)
	}
	return targets
}

// intact checks that nothing reached the lure.
func (w *world) intact() {
	w.Helper()
	w.holds("lure/file", "lure")
	list, err := w.FS.ReadDir(p("lure"))
	if err != nil || !slices.Equal(names(list), []string{"file", "x"}) {
		w.Errorf("the lure holds %q (%v)", names(list), err)
	}
}

func linkedParents(w *world) {
	for _, target := range w.lure() {
		w.must(w.User.Symlink(target, "link"))
		w.must(w.User.MkdirAll("deep"))
		w.must(w.User.Symlink("../"+target, "deep/link"))
		for _, name := range []string{"link/file", "link/x", "link/new", "link/x/deeper", "deep/link/file"} {
			for _, c := range calls {
				w.wants(c.name+" "+name, c.do(w.FS, p(name)), fsys.ErrNotDirectory)
			}
			for _, c := range optional {
				if err := c.do(w.FS, p(name)); !errors.Is(err, fsys.ErrUnsupported) {
					w.wants(c.name+" "+name, err, fsys.ErrNotDirectory)
				}
			}
		}
		w.must(w.User.RemoveAll("link"))
		w.must(w.User.RemoveAll("deep"))
		w.intact()
		w.holds("plain", "plain")
	}
}

func linkedNames(w *world) {
	for _, target := range w.lure() {
		for _, t := range []string{target, target + "/file"} {
			w.must(w.User.Symlink(t, "link"))
			w.wants("Open", closeFile(w.FS.Open(p("link"))), fsys.ErrNotRegular)
			w.wants("OpenTemp", closeFile(w.FS.OpenTemp(p("link"))), fsys.ErrNotRegular)
			w.wants("Chmod", w.FS.Chmod(p("link"), 0o777), fsys.ErrNotRegular)
			_, err := w.FS.ReadDir(p("link"))
			w.wants("ReadDir", err, fsys.ErrNotDirectory)
			if err := w.FS.SyncDirs(path1("link")); err != nil { // nothing to do in memory
				w.wants("SyncDirs", err, fsys.ErrNotDirectory)
			}
			if err := closeFile(w.FS.Clone(p("link"), p("copy"))); !errors.Is(err, fsys.ErrUnsupported) {
				w.wants("Clone", err, fsys.ErrNotRegular)
			}
			if err := w.FS.Chtimes(p("link"), 1e18); err != nil && !errors.Is(err, fsys.ErrUnsupported) {
				w.Errorf("Chtimes: %v", err)
			}
			w.kind("link", fsys.Symlink)
			w.must(w.FS.Rename(p("link"), p("moved")))
			w.must(w.FS.Remove(p("moved")))
			w.intact()
		}
	}
}

func fileAsParent(w *world) {
	w.file("plain", "plain")
	w.file("file", "x")
	for _, c := range calls {
		w.wants(c.name, c.do(w.FS, p("file/x")), fsys.ErrNotDirectory)
	}
	w.holds("plain", "plain")
	w.holds("file", "x")
}

// while runs attack again and again in a goroutine until work is done.
func while(attack, work func()) {
	stop := make(chan struct{}) // closed when work is done
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				attack()
			}
		}
	})
	work()
	close(stop)
	wg.Wait()
}

// swappedParents changes a parent between a directory and a link during every
// call. What the calls say does not matter, only what they reach.
func swappedParents(w *world) {
	for _, target := range w.lure() {
		w.must(w.User.MkdirAll("d/x"))
		w.file("d/file", "d")
		w.must(w.User.Symlink(target, "link"))
		while(func() {
			_ = w.User.Rename("d", "away")
			_ = w.User.Rename("link", "d")
			_ = w.User.Rename("d", "link")
			_ = w.User.Rename("away", "d")
		}, func() { w.storm("d/file", "d/new", "d/x") })
		w.must(w.User.RemoveAll("d"))
		w.must(w.User.RemoveAll("link"))
		w.intact()
	}
}

// swappedNames changes the last component between a file and a link.
func swappedNames(w *world) {
	for _, target := range w.lure() {
		w.must(w.User.MkdirAll("d"))
		w.file("d/a", "a")
		w.must(w.User.Symlink("../"+target+"/file", "d/link"))
		while(func() {
			_ = w.User.Rename("d/a", "d/away")
			_ = w.User.Rename("d/link", "d/a")
			_ = w.User.Rename("d/a", "d/link")
			_ = w.User.Rename("d/away", "d/a")
		}, func() { w.overwrite("d/a") })
		w.must(w.User.RemoveAll("d"))
		w.intact()
	}
}

// storm calls every method that changes something.
func (w *world) storm(paths ...string) {
	for range rounds {
		for _, path := range paths {
			for _, c := range slices.Concat(calls, optional) {
				_ = c.do(w.FS, p(path))
			}
			w.write(path)
			_ = w.User.WriteFile("plain", []byte("plain"))
		}
	}
}

// overwrite opens and changes a name again and again.
func (w *world) overwrite(path string) {
	for range rounds * 10 {
		w.write(path)
		_ = closeFile(w.FS.Create(p(path)))
		if i, err := w.FS.Lstat(p(path)); err == nil && i.Kind == fsys.Regular {
			_ = w.FS.Rename(p(path), p(path+"-moved"))
			_ = w.FS.Rename(p(path+"-moved"), p(path))
		}
	}
}

// write writes through a handle that was opened by name.
func (w *world) write(path string) {
	f, err := w.FS.OpenTemp(p(path))
	if err != nil {
		return
	}
	_, _ = f.WriteAt([]byte("attacked"), 0)
	_ = f.SetMeta(0o666, 1e18)
	_ = f.Close()
}
