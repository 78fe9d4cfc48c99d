package fsys

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lanyard/sync/relpath"
)

// The rule for syncfs, see worthSyncfs. The costs are where the averages
// start.
const (
	syncfsFrom      = 8        // files; fewer are synced one by one
	syncfsDirsAbove = 4        // directories
	foreignFree     = 64 << 20 // bytes of others that are always accepted
	startFsync      = 300 * time.Microsecond
	startRate       = 200 << 20 // bytes per second
)

// syncer makes files and names of one file system durable, by one syncfs for
// many files or by fsync for each. syncfs is quicker for a batch, but it also
// waits for what other programs wrote: the syncer learns what both cost here.
type syncer struct {
	fd      *rootFD // of the root, open since the folder was: errors count from then
	allowed bool    // syncfs is known to write everything and to report errors
	memory  bool    // nothing is ever durable, so nothing is synced
	direct  *direct // nil where large files go through the page cache too

	// one serialises syncfs: an error is told once per descriptor, and would
	// reach only one of two callers.
	one sync.Mutex

	mu     sync.Mutex // guards what follows
	failed bool       // a syncfs failed: from then on each file is asked itself
	fsync  time.Duration
	rate   float64 // bytes per second that a syncfs writes
}

// probe learns the kind of file system. Before Linux 5.8 syncfs did not report
// errors; FUSE, network and unknown file systems may do nothing and report
// success.
func (s *syncer) probe(fd *rootFD) {
	s.fd, s.fsync, s.rate = fd, startFsync, startRate
	var st unix.Statfs_t
	err := fd.use(func(root int) error {
		return retry(func() error { return unix.Fstatfs(root, &st) })
	})
	if err != nil {
		return
	}
	switch uint32(st.Type) {
	case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
		s.memory = true
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC:
		s.allowed = kernelAtLeast(5, 8)
	}
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC:
		// Not btrfs: it takes sums over memory that must not change meanwhile.
		s.direct = newDirect(availableMemory)
	}
}

// kernelAtLeast compares the running kernel's version.
func kernelAtLeast(major, minor int) bool {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return false
	}
	parts := strings.SplitN(unix.ByteSliceToString(u.Release[:]), ".", 3)
	if len(parts) < 2 {
		return false
	}
	maj, err1 := strconv.Atoi(parts[0])
	mnr, err2 := strconv.Atoi(strings.TrimRight(parts[1], "-+abcdefghijklmnopqrstuvwxyz"))
	return err1 == nil && err2 == nil && (maj > major || maj == major && mnr >= minor)
}

// SyncFiles makes the files durable.
func (d *disk) SyncFiles(files []File) error {
	list, err := osFiles(files)
	if err != nil {
		return fail(OpSyncFiles, d.path, err)
	}
	return d.sync.files(list)
}

// SyncAll makes everything that was written to this file system durable. done
// is false where the system cannot promise that.
func (d *disk) SyncAll() (done bool, err error) {
	if d.sync.memory {
		return true, nil
	}
	if !d.sync.allowed {
		return false, nil
	}
	done, err = d.sync.syncfs(0)
	return done, fail(OpSyncFiles, d.path, err)
}

func (s *syncer) files(files []*osFile) error {
	if s.memory || len(files) == 0 {
		return nil
	}
	own := int64(0)
	for _, f := range files {
		own += f.own.Load()
	}
	if len(files) >= syncfsFrom && s.worthSyncfs(len(files), own) {
		if done, err := s.syncfs(own); done {
			return fail(OpSyncFiles, files[0].path, err)
		}
	}
	return s.each(files)
}

// each starts writing all files and then waits for one after the other: the
// disk sees them together.
func (s *syncer) each(files []*osFile) error {
	start := time.Now()
	for _, f := range files {
		f.Flush(0, 0)
	}
	for _, f := range files {
		if err := f.f.Sync(); err != nil {
			return fail(OpSyncFiles, f.path, err)
		}
	}
	s.learnFsync(time.Since(start) / time.Duration(len(files)))
	return nil
}

// worthSyncfs decides for one batch of n files with own bytes. The dirty memory
// of the whole machine counts as foreign, other disks' too, which errs to the
// slower and safe side.
func (s *syncer) worthSyncfs(n int, own int64) bool {
	return s.allowed && s.quicker(n, max(dirtyMemory()-own, 0))
}

// quicker compares, by what was seen so far, a syncfs that also writes the
// foreign bytes with n single syncs.
func (s *syncer) quicker(n int, foreign int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed {
		return false
	}
	wait := time.Duration(float64(foreign) / s.rate * float64(time.Second))
	return foreign <= foreignFree || wait < time.Duration(n)*s.fsync
}

// syncfs writes out the whole file system. done is false where an earlier
// failure forbids to trust it.
func (s *syncer) syncfs(own int64) (done bool, err error) {
	s.one.Lock()
	defer s.one.Unlock()
	s.mu.Lock()
	failed := s.failed
	s.mu.Unlock()
	if failed {
		return false, nil
	}
	dirty, start := max(dirtyMemory(), own), time.Now()
	err = s.fd.use(func(root int) error {
		return retry(func() error { return unix.Syncfs(root) })
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed = true
		return true, err
	}
	if dirty > foreignFree {
		rate := float64(dirty) / max(time.Since(start).Seconds(), 1e-3)
		s.rate += (rate - s.rate) / 4
	}
	return true, nil
}

func (s *syncer) learnFsync(each time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fsync += (each - s.fsync) / 4
}

// dirtyMemory is what the machine has still to write to disks, in bytes; 0
// where it cannot be read.
func dirtyMemory() int64 { return memory("Dirty:", "Writeback:") }

// availableMemory is what programs, and files kept in memory, can still have,
// in bytes; 0 where it cannot be read.
func availableMemory() int64 { return memory("MemAvailable:") }

// memory adds up what the system says of its memory, in bytes.
func memory(names ...string) int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	total := int64(0)
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 || !slices.Contains(names, f[0]) {
			continue
		}
		if kib, err := strconv.ParseInt(f[1], 10, 64); err == nil {
			total += kib << 10
		}
	}
	return total
}

// SyncDirs makes the names in directories durable. All of them are synced even
// where one fails; the first failure is returned.
func (d *disk) SyncDirs(dirs []relpath.Path) error {
	if d.sync.memory || len(dirs) == 0 {
		return nil
	}
	dirs = slices.Clone(dirs)
	slices.SortFunc(dirs, relpath.Path.Compare)
	dirs = slices.Compact(dirs)
	if len(dirs) > syncfsDirsAbove && d.sync.worthSyncfs(len(dirs), 0) {
		if done, err := d.sync.syncfs(0); done {
			return fail(OpSyncDirs, d.path, err)
		}
	}
	var first error
	for _, p := range dirs {
		if err := d.syncDir(p); err != nil && first == nil {
			first = fail(OpSyncDirs, p.String(), err)
		}
	}
	return first
}

// syncDir syncs one directory, where the file system knows what that means.
func (d *disk) syncDir(p relpath.Path) error {
	fd, err := d.openDir(p, unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	err = retry(func() error { return unix.Fsync(fd) })
	if err == unix.EINVAL || err == unix.EOPNOTSUPP {
		return nil
	}
	return err
}
