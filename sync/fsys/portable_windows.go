package fsys

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/windows"
)

// openBest opens a folder.
func openBest(path string, _ Options) (FS, error) { return openPortable(path) }

// nonblock has no meaning here.
const nonblock = 0

// checkName refuses names that Windows would understand as something else: a
// stream of a file, a device, a path, or the same name without its last dot.
func checkName(name string) error {
	switch {
	case strings.ContainsAny(name, `<>:"/\|?*`), strings.HasSuffix(name, "."),
		strings.HasSuffix(name, " "), !filepath.IsLocal(name):
		return ErrName
	}
	for i := range len(name) {
		if name[i] < ' ' {
			return ErrName
		}
	}
	return nil
}

// trustTemp has nothing to ask: the folder's access list is its owner's.
func trustTemp(*os.File) error { return nil }

// moveEntry renames by paths from the root. Both parents were proved a moment
// ago; a directory swapped for a link since then is followed, though never out
// of the folder.
func moveEntry(root *os.Root, a, b slot) error {
	return root.Rename(filepath.FromSlash(a.path.String()), filepath.FromSlash(b.path.String()))
}

// linkEntry gives a file a second name: within a directory through its handle,
// else by paths from the root, as moveEntry.
func linkEntry(root *os.Root, a, b slot) error {
	if a.dir == b.dir {
		return a.dir.Link(a.name, b.name)
	}
	return root.Link(filepath.FromSlash(a.path.String()), filepath.FromSlash(b.path.String()))
}

// exchangeEntries: Windows cannot.
func exchangeEntries(_, _ slot) error { return ErrUnsupported }

// syncers is how many files are flushed at a time.
const syncers = 8

// syncHandles makes files durable, several at a time.
func syncHandles(files []*osFile) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, len(files))
	for range min(syncers, len(files)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(files)); i = next.Add(1) - 1 {
				errs[i] = files[i].f.Sync()
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return fail(OpSyncFiles, files[i].path, err)
		}
	}
	return nil
}

// syncDirHandle does nothing: NTFS orders names by its own journal and has no
// call for it.
func syncDirHandle(*os.Root, bool) error { return nil }

// freeSpace asks the file system.
func freeSpace(path string) (free, total uint64, err error) {
	p, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, 0, err
	}
	err = windows.GetDiskFreeSpaceEx(p, &free, &total, nil)
	return free, total, err
}
