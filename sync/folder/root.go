package folder

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

// Marker gives the name of the proof that a root is a folder's:
// .stfolder/lanyard- and the first 6 hexadecimal digits of the SHA-256 of the
// folder ID. It holds 16 random bytes in hex, made when the folder was added.
func Marker(id bep.FolderID) relpath.Path {
	sum := sha256.Sum256([]byte(id))
	p, err := relpath.Parse(relpath.MarkerName + "/lanyard-" + hex.EncodeToString(sum[:])[:6])
	if err != nil {
		panic("folder: marker name: " + err.Error())
	}
	return p
}

// maxMarker and maxRules bound what is read of the two files.
const (
	maxMarker = 64
	maxRules  = 1 << 20
)

// readMarker gives what a root's marker holds.
func readMarker(f fsys.FS, id bep.FolderID) (string, error) {
	b, err := readFile(f, Marker(id), maxMarker)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fsys.ErrNotDirectory):
		return "", fault.Wrap(fault.Folder, "folder-unmarked", "prove the root of", string(id), err)
	case err != nil:
		return "", fault.Wrap(fault.Folder, "folder-missing", "prove the root of", string(id), err)
	case len(b) == 0:
		return "", fault.New(fault.Folder, "folder-unmarked", "prove the root of %s: its marker is empty", id)
	}
	return string(b), nil
}

// readFile reads a small file whole.
func readFile(f fsys.FS, p relpath.Path, limit int64) ([]byte, error) {
	file, err := f.Open(p)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := io.ReadAll(io.NewSectionReader(file, 0, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fault.New(fault.Item, "", "read %s: it is larger than %d bytes", p, limit)
	}
	return b, nil
}

// Key of the marker's content in the index: the root that the index was made
// from.
const metaRoot = "root"

// prove fails unless the open root still stands at the folder's path and
// holds the marker that the index was made with.
func (r *Runner) prove() error {
	f := r.root()
	if f == nil {
		return fault.New(fault.Folder, "folder-missing", "the folder is not open")
	}
	if err := f.Check(); err != nil {
		return fault.Wrap(fault.Folder, codeOfRoot(err), "prove the root of", string(r.o.ID), err)
	}
	nonce, err := readMarker(f, r.o.ID)
	if err != nil {
		return err
	}
	if nonce != r.nonce {
		return fault.New(fault.Folder, "folder-swapped", "prove the root of %s: the marker is another folder's", r.o.ID)
	}
	return nil
}

func codeOfRoot(err error) fault.Code {
	if errors.Is(err, fsys.ErrRootChanged) {
		return "folder-swapped"
	}
	return "folder-missing"
}

// proveFirst proves a root that was just opened, and remembers its marker when
// the index is new.
func (r *Runner) proveFirst(f fsys.FS) error {
	if err := f.Check(); err != nil {
		return fault.Wrap(fault.Folder, codeOfRoot(err), "open", string(r.o.ID), err)
	}
	nonce, err := readMarker(f, r.o.ID)
	if err != nil {
		return err
	}
	known, err := r.o.Index.Meta(metaRoot)
	if err != nil {
		return err
	}
	switch known {
	case nonce:
	case "":
		if err := r.o.Index.SetMeta(metaRoot, nonce); err != nil {
			return err
		}
	default:
		return fault.New(fault.Folder, "folder-swapped", "prove the root of %s: the marker is not the one that this device knows", r.o.ID)
	}
	r.nonce = nonce
	return nil
}
