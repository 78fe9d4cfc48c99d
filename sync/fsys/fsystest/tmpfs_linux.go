package fsystest

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Tmpfs mounts a small file system in memory until the test ends, and gives its
// directory. A size is written as "256k". Where the system does not let us, the
// test is not run; continuous integration has to.
func Tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("lanyard-test", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("mounting a file system: %v", err)
		}
		t.Skipf("not run: needs the right to mount (%v)", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}
