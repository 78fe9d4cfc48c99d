package fsys

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Options says how Open behaves. The zero value is right for everybody but
// tests.
type Options struct {
	// Portable asks for the implementation that needs nothing of the system
	// beyond os.Root, also where there is a better one.
	Portable bool
	// NoOpenat2 makes the Linux implementation walk component by component, as
	// it does on kernels before 5.6 and in containers that deny the call.
	NoOpenat2 bool
}

// Open opens the folder at path, which must be a directory; a symlink at path
// itself (not below) is followed, once. Close the result.
func Open(path string, o Options) (FS, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fail(OpCheck, path, err)
	}
	if o.Portable {
		return openPortable(path)
	}
	return openBest(path, o)
}

// checkRoot proves that the directory opened as root still stands at path.
func checkRoot(path string, root os.FileInfo) error {
	now, err := os.Stat(path)
	switch {
	case err != nil:
		return openFailed(path, err)
	case !os.SameFile(root, now):
		return fail(OpCheck, path, ErrRootChanged)
	}
	return nil
}

// errNoFolder: something else than a directory, or nothing, is at the path.
var errNoFolder = fmt.Errorf("there is no directory at the folder's path: %w", fs.ErrNotExist)

// openFailed is the failure to open or find the root at path. A file in its
// place, or in the place of a parent, is the same as nothing.
func openFailed(path string, err error) error {
	for p := path; ; p = filepath.Dir(p) {
		if i, serr := os.Stat(p); serr == nil {
			if !i.IsDir() {
				err = errNoFolder
			}
			return fail(OpCheck, path, err)
		}
		if p == filepath.Dir(p) {
			return fail(OpCheck, path, err)
		}
	}
}
