package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// disk is an ext4 file system in an image, mounted, whose power can be cut.
// The image lies on a file system that clones files in an instant: what the
// clone holds is what a disk that keeps the order of writes would hold, and
// what the kernel had not written to the image yet is lost.
type disk struct {
	at      string // where it is mounted
	options string
	image   string
	cuts    int
}

// The sizes of the disk and of what holds its images; both are sparse.
const (
	diskBytes  = 2 << 30
	storeBytes = 8 << 30
)

// inOwnMounts is inside for tests that mount.
func inOwnMounts(t *testing.T, env ...string) bool {
	t.Helper()
	return inside(t, noDisks, env)
}

// noDisks says why no disk can be made here, nil if one can.
func noDisks() error {
	if os.Geteuid() != 0 {
		return errors.New("mounting an image needs root")
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return fmt.Errorf("mounting an image needs loop devices: %w", err)
	}
	for _, program := range []string{"unshare", "mount", "umount", "mkfs.ext4", "mkfs.xfs"} {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	return nil
}

// newDisk makes an empty disk and mounts it with the options until the test
// ends.
func newDisk(t *testing.T, options string) *disk {
	t.Helper()
	dir := t.TempDir()
	store, images := filepath.Join(dir, "store"), filepath.Join(dir, "images")
	d := &disk{at: filepath.Join(dir, "disk"), options: "loop," + options, image: filepath.Join(images, "0")}
	must(t, os.Mkdir(images, 0o755))
	must(t, os.Mkdir(d.at, 0o755))
	sparse(t, store, storeBytes)
	tool(t, "mkfs.xfs", "-q", "-m", "reflink=1", store)
	mount(t, store, images, "loop")
	sparse(t, d.image, diskBytes)
	tool(t, "mkfs.ext4", "-q", "-F", d.image)
	mount(t, d.image, d.at, d.options)
	return d
}

func sparse(t *testing.T, path string, size int64) {
	t.Helper()
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, os.Truncate(path, size))
}

// tool runs a program that must succeed.
func tool(t *testing.T, argv ...string) {
	t.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
}

// mount mounts an image until the test ends.
func mount(t *testing.T, image, at, options string) {
	t.Helper()
	tool(t, "mount", "-o", options, image, at)
	t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) }) // it may be unmounted already
}

// cut cuts the power of the disk and of the process that works on it, and
// mounts what is left in the same place.
func (d *disk) cut(t *testing.T, p *process) {
	t.Helper()
	must(t, syscall.Kill(-p.cmd.Process.Pid, syscall.SIGSTOP)) // nothing is done after the instant
	d.cuts++
	next := filepath.Join(filepath.Dir(d.image), fmt.Sprint(d.cuts))
	must(t, clone(next, d.image))
	p.kill()
	tool(t, "umount", d.at)
	must(t, os.Remove(d.image))
	d.image = next
	mount(t, d.image, d.at, d.options)
}

// clone copies a file in an instant.
func clone(dst, src string) error {
	from, err := os.Open(src)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(dst, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := unix.IoctlFileClone(int(to.Fd()), int(from.Fd())); err != nil {
		return errors.Join(fmt.Errorf("clone %s: %w", src, err), to.Close())
	}
	return to.Close()
}

// output gives what a program that must succeed says.
func output(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	must(t, err)
	return string(out)
}
