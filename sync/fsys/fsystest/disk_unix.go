//go:build unix

package fsystest

import "syscall"

const noModes = false

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o600) }
