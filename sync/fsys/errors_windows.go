package fsys

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// refusesLink reports whether the error of a link means that there can be none.
func refusesLink(err error) bool {
	var no syscall.Errno
	if !errors.As(err, &no) {
		return false
	}
	switch no {
	case windows.ERROR_INVALID_FUNCTION, windows.ERROR_NOT_SUPPORTED, windows.ERROR_TOO_MANY_LINKS,
		windows.ERROR_NOT_SAME_DEVICE, windows.ERROR_ACCESS_DENIED:
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
	case windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED:
		return ErrNoSpace
	case windows.ERROR_WRITE_PROTECT:
		return ErrReadOnly
	case windows.ERROR_CRC, windows.ERROR_IO_DEVICE, windows.ERROR_GEN_FAILURE:
		return ErrIO
	case windows.ERROR_NOT_READY, windows.ERROR_DEV_NOT_EXIST, windows.ERROR_BAD_NETPATH,
		windows.ERROR_NETNAME_DELETED:
		return ErrGone
	case windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION:
		return ErrInUse
	case windows.ERROR_TOO_MANY_OPEN_FILES, windows.ERROR_NOT_ENOUGH_MEMORY:
		return ErrBusy
	case windows.ERROR_DIR_NOT_EMPTY:
		return ErrNotEmpty
	case windows.ERROR_DIRECTORY, windows.ERROR_NOT_SAME_DEVICE, syscall.ENOTDIR, syscall.ELOOP:
		return ErrNotDirectory
	case windows.ERROR_FILE_TOO_LARGE:
		return ErrTooLarge
	case windows.ERROR_FILENAME_EXCED_RANGE:
		return ErrNameTooLong
	case windows.ERROR_INVALID_NAME, windows.ERROR_INVALID_PARAMETER:
		return ErrName
	case windows.ERROR_NOT_SUPPORTED, windows.ERROR_PRIVILEGE_NOT_HELD:
		return ErrUnsupported
	}
	return nil
}
