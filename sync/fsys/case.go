package fsys

import (
	"strings"
	"unicode"

	"lanyard/sync/relpath"
)

// folds probes whether names that differ in case are one: it looks an existing
// name up in the other case, and so changes nothing on the disk.
// Where no name holds a letter it answers what the system's own disks do.
func folds(f FS) bool {
	entries, err := f.ReadDir(relpath.Root)
	if err != nil {
		return foldsByDefault
	}
	for _, e := range entries {
		swapped := strings.Map(swapCase, e.Name)
		if swapped == e.Name {
			continue
		}
		i, err := f.LstatRaw(relpath.Root, swapped)
		return err == nil && i.Same(e.Info)
	}
	return foldsByDefault
}

// swapCase changes the case of ASCII letters, which every file system that
// folds at all folds.
func swapCase(r rune) rune {
	switch {
	case r > unicode.MaxASCII:
		return r
	case unicode.IsUpper(r):
		return unicode.ToLower(r)
	}
	return unicode.ToUpper(r)
}
