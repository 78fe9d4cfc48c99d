package pull

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"lanyard/sync/bep"
	"lanyard/sync/relpath"
)

// maxTempBase is the longest base name that stands readable in a temporary
// name (BEP section 5.10).
const maxTempBase = 145

// tempName gives the name under which a version is built, beside its target.
// It follows from name and version, so that a later round finds what an
// earlier one gathered; two versions never share one.
func tempName(f *bep.FileInfo) relpath.Path { return besideName(f, "") }

// asideName gives a second such name, for what stands at the target and is
// to be removed.
func asideName(f *bep.FileInfo) relpath.Path { return besideName(f, "aside") }

func besideName(f *bep.FileInfo, salt string) relpath.Path {
	h := sha256.New()
	h.Write([]byte(salt))
	h.Write([]byte(f.Name.String()))
	var b [16]byte
	for _, c := range f.Version {
		binary.BigEndian.PutUint64(b[:8], c.ID)
		binary.BigEndian.PutUint64(b[8:], c.Value)
		h.Write(b[:])
	}
	sum := h.Sum(nil)
	base := f.Name.Base()
	if len(base) > maxTempBase {
		whole := sha256.Sum256([]byte(base))
		base = hex.EncodeToString(whole[:])
	}
	p, err := f.Name.Dir().Join(relpath.TempPrefix + base + "." + hex.EncodeToString(sum[:8]) + relpath.TempSuffix)
	if err != nil {
		// Only the total length can be at fault: a short base still fits where
		// the target did.
		p, err = f.Name.Dir().Join(relpath.TempPrefix + hex.EncodeToString(sum[:4]))
		if err != nil {
			return f.Name.Dir()
		}
	}
	return p
}

// takeLeftOver takes up the temporary file of a file of one block that a crash
// or a failed commit left behind, if it holds that block. Otherwise the file is
// written anew.
func (it *item) takeLeftOver() (found bool, err error) {
	if !it.r.w.leftOver.give(it.temp) {
		return false, nil
	}
	if err := it.r.w.unusable.clear(it.r.o, it.temp); err != nil {
		return false, err
	}
	file, err := it.r.o.FS.OpenTemp(it.temp)
	if err != nil {
		return false, nil //nolint:nilerr // whoever makes it anew says what is wrong
	}
	b := it.want.Blocks[0]
	info, err := file.Stat()
	if err == nil && info.Size == it.want.Size {
		err = readVerified(file, make([]byte, b.Size), b)
	}
	if err != nil || info.Size != it.want.Size {
		return false, file.Close()
	}
	it.file, it.tempMade = file, true
	it.steps.Have(0)
	it.r.w.progress.wrote(it, it.want.Size)
	return true, it.finishFile()
}
