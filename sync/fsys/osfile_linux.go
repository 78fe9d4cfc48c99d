package fsys

import (
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// infoOf makes an Info of what os found.
func infoOf(fi os.FileInfo) Info {
	i := Info{
		Kind: kindOf(fi.Mode()), Size: fi.Size(),
		Mode: uint32(fi.Mode().Perm()), Mtime: fi.ModTime().UnixNano(),
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		i.Ctime = syscall.TimespecToNsec(st.Ctim)
		i.Inode, i.Dev, i.Nlink = st.Ino, uint64(st.Dev), uint32(st.Nlink)
	}
	if i.Kind == Directory {
		i.Size = 0
	}
	return i
}

// reserve allocates size bytes. It does nothing on btrfs, where a write goes
// elsewhere anyway, and where the file system cannot.
func reserve(fd uintptr, size int64) error {
	var st unix.Statfs_t
	if size <= 0 {
		return nil
	}
	if err := retry(func() error { return unix.Fstatfs(int(fd), &st) }); err != nil {
		return err
	}
	if uint32(st.Type) == unix.BTRFS_SUPER_MAGIC {
		return nil
	}
	err := retry(func() error {
		return unix.Fallocate(int(fd), unix.FALLOC_FL_KEEP_SIZE, 0, size)
	})
	if err == unix.EOPNOTSUPP || err == unix.ENOSYS {
		return nil
	}
	return err
}

// setTime sets the modification time and leaves the access time.
func setTime(fd uintptr, mtime int64) error {
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, unix.NsecToTimespec(mtime)}
	return retry(func() error {
		// A nil path means the descriptor itself; x/sys has no wrapper for it.
		_, _, no := unix.Syscall6(unix.SYS_UTIMENSAT, fd, 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
		if no != 0 {
			return no
		}
		return nil
	})
}

// startWriting queues a range for writing, without waiting.
func startWriting(fd uintptr, off, n int64) error {
	return unix.SyncFileRange(int(fd), off, n, unix.SYNC_FILE_RANGE_WRITE)
}

// openDirect opens a file once more, for going past the page cache (open(2),
// O_DIRECT). By its descriptor it is the same file, whatever its name is now.
func openDirect(file *os.File, access int) (f *os.File, err error) {
	err = control(file, func(fd uintptr) error {
		name := "/proc/self/fd/" + strconv.Itoa(int(fd))
		return retry(func() error {
			fd, err := unix.Open(name, access|unix.O_DIRECT|unix.O_CLOEXEC, 0)
			if err == nil {
				f = os.NewFile(uintptr(fd), file.Name())
			}
			return err
		})
	})
	return f, err
}

// mostlyCached reports whether the page cache holds at least half of a range,
// or nobody knows (before Linux 6.5): then it is the quicker way.
func mostlyCached(file *os.File, off, n int64) bool {
	var st unix.Cachestat_t
	err := control(file, func(fd uintptr) error {
		return unix.Cachestat(uint(fd), &unix.CachestatRange{Off: uint64(off), Len: uint64(n)}, &st, 0)
	})
	return err != nil || 2*int64(st.Cache)*int64(os.Getpagesize()) >= n
}

// retry repeats a call that a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// foldsByDefault is what the system's own disks do with case.
const foldsByDefault = false
