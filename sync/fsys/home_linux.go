package fsys

import "golang.org/x/sys/unix"

// onNetwork knows the file systems of other machines by their magic number;
// those of FUSE are one kind, and may be such.
func onNetwork(path string) bool {
	var st unix.Statfs_t
	if err := ignoringSignals(func() error { return unix.Statfs(path, &st) }); err != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.FUSE_SUPER_MAGIC,
		unix.CODA_SUPER_MAGIC, unix.AFS_FS_MAGIC, unix.AFS_SUPER_MAGIC, unix.V9FS_MAGIC, unix.CEPH_SUPER_MAGIC:
		return true
	}
	return false
}
