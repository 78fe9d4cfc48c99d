//go:build unix

package fsys

import (
	"errors"
	"syscall"
)

// refusesLink reports whether the error of a link means that there can be none.
func refusesLink(err error) bool {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return false
	}
	switch no {
	case syscall.EPERM, syscall.EMLINK, syscall.EXDEV, syscall.EOPNOTSUPP, syscall.ENOSYS:
		return true
	}
	return false
}

// sentinelOf names the condition of a system error, nil where io/fs already
// knows it or nobody does.
func sentinelOf(err error) error {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return nil
	}
	switch no {
	case syscall.ENOSPC, syscall.EDQUOT:
		return ErrNoSpace
	case syscall.EROFS:
		return ErrReadOnly
	case syscall.EIO:
		return ErrIO
	case syscall.ESTALE, syscall.ENOTCONN, syscall.ENODEV, syscall.ENXIO, syscall.EHOSTDOWN:
		return ErrGone
	case syscall.EBUSY, syscall.ETXTBSY:
		return ErrInUse
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EAGAIN:
		return ErrBusy
	case syscall.ENOTEMPTY:
		return ErrNotEmpty
	case syscall.ENOTDIR, syscall.ELOOP, syscall.EXDEV:
		return ErrNotDirectory
	case syscall.EFBIG:
		return ErrTooLarge
	case syscall.ENAMETOOLONG:
		return ErrNameTooLong
	case syscall.EINVAL, syscall.EILSEQ:
		return ErrName
	case syscall.EOPNOTSUPP, syscall.ENOSYS:
		return ErrUnsupported
	}
	return nil
}
