package fsys

import "golang.org/x/sys/unix"

// onNetwork asks whether the file system is a local one.
func onNetwork(path string) bool {
	var st unix.Statfs_t
	if err := ignoringSignals(func() error { return unix.Statfs(path, &st) }); err != nil {
		return false
	}
	return st.Flags&unix.MNT_LOCAL == 0
}
