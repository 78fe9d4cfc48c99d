package fsys

import (
	"os"

	"golang.org/x/sys/windows"
)

// infoOf makes an Info of what os found. Windows tells identity and change
// time only of open files: they stay 0.
func infoOf(fi os.FileInfo) Info {
	i := Info{
		Kind: kindOf(fi.Mode()), Size: fi.Size(),
		Mode: uint32(fi.Mode().Perm()), Mtime: fi.ModTime().UnixNano(), Nlink: 1,
	}
	if i.Kind == Directory {
		i.Size = 0
	}
	return i
}

// reserve does nothing: NTFS allocates at the first write behind the end.
func reserve(uintptr, int64) error { return nil }

// setTime sets the modification time, to the 100 ns that the system has.
func setTime(fd uintptr, mtime int64) error {
	t := windows.NsecToFiletime(mtime)
	return windows.SetFileTime(windows.Handle(fd), nil, nil, &t)
}

// startWriting does nothing: the system has no such call.
func startWriting(uintptr, int64, int64) error { return nil }

// openDirect is not offered: here it was measured on no system.
func openDirect(*os.File, int) (*os.File, error) { return nil, ErrUnsupported }

// mostlyCached is not asked where openDirect is not offered.
func mostlyCached(*os.File, int64, int64) bool { return true }

// foldsByDefault is what the system's own disks do with case.
const foldsByDefault = true
