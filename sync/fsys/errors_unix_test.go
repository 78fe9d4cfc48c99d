//go:build unix

package fsys

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"lanyard/sync/fault"
)

func TestSystemErrorsWrapTheirSentinelAndThemselves(t *testing.T) {
	for no, want := range map[syscall.Errno]error{
		syscall.ENOSPC: ErrNoSpace, syscall.EDQUOT: ErrNoSpace, syscall.EROFS: ErrReadOnly,
		syscall.EIO: ErrIO, syscall.ESTALE: ErrGone, syscall.ENOTCONN: ErrGone,
		syscall.EBUSY: ErrInUse, syscall.ETXTBSY: ErrInUse, syscall.EMFILE: ErrBusy,
		syscall.ENFILE: ErrBusy, syscall.ENOTEMPTY: ErrNotEmpty, syscall.ENOTDIR: ErrNotDirectory,
		syscall.ELOOP: ErrNotDirectory, syscall.EXDEV: ErrNotDirectory, syscall.EFBIG: ErrTooLarge,
		syscall.ENAMETOOLONG: ErrNameTooLong, syscall.EINVAL: ErrName, syscall.EOPNOTSUPP: ErrUnsupported,
		syscall.ENOENT: fs.ErrNotExist, syscall.EEXIST: fs.ErrExist,
		syscall.EACCES: fs.ErrPermission, syscall.EPERM: fs.ErrPermission,
	} {
		err := fail(OpRename, "a", no)
		if !errors.Is(err, want) || !errors.Is(err, no) {
			t.Errorf("%v became %v, want it to wrap %v and itself", no, err, want)
		}
		if fault.KindOf(err) == fault.Unknown {
			t.Errorf("%v has no kind", no)
		}
	}
}
