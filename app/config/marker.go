package config

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"lanyard/sync/bep"
	"lanyard/sync/relpath"
)

// MarkerFile gives the name of a folder's proof of its root, relative to the
// root and in native form: .stfolder/lanyard- and the first 6 hexadecimal
// digits of the SHA-256 of the folder ID. It holds 16 random bytes in hex.
func MarkerFile(id bep.FolderID) string {
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(relpath.MarkerName, "lanyard-"+hex.EncodeToString(sum[:])[:6])
}

// makeMarker makes the marker of a root that is about to become a folder. One
// that is there already, from an earlier time, is kept; files of other
// programs beside it are left alone.
func makeMarker(root string, id bep.FolderID) error {
	dir := filepath.Join(root, relpath.MarkerName)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	marker := filepath.Join(root, MarkerFile(id))
	if _, err := os.Lstat(marker); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails: crypto/rand ends the program instead
	if err := replace(marker, []byte(hex.EncodeToString(nonce[:]))); err != nil {
		return err
	}
	return syncDirectory(dir)
}
