package fsys

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// infoOf makes an Info of what os found.
func infoOf(fi os.FileInfo) Info {
	i := Info{
		Kind: kindOf(fi.Mode()), Size: fi.Size(),
		Mode: uint32(fi.Mode().Perm()), Mtime: fi.ModTime().UnixNano(),
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		i.Ctime = syscall.TimespecToNsec(st.Ctimespec)
		i.Inode, i.Dev, i.Nlink = st.Ino, uint64(uint32(st.Dev)), uint32(st.Nlink)
	}
	if i.Kind == Directory {
		i.Size = 0
	}
	return i
}

// reserve does nothing: APFS writes elsewhere anyway.
func reserve(uintptr, int64) error { return nil }

// setTime sets the modification time, to the microsecond that this call has,
// and the access time to the same.
func setTime(fd uintptr, mtime int64) error {
	t := unix.NsecToTimeval(mtime)
	return unix.Futimes(int(fd), []unix.Timeval{t, t})
}

// startWriting does nothing: the system has no such call.
func startWriting(uintptr, int64, int64) error { return nil }

// openDirect is not offered: here it was measured on no system.
func openDirect(*os.File, int) (*os.File, error) { return nil, ErrUnsupported }

// mostlyCached is not asked where openDirect is not offered.
func mostlyCached(*os.File, int64, int64) bool { return true }

// foldsByDefault is what the system's own disks do with case.
const foldsByDefault = true
