//go:build unix

package launch

import (
	"os/exec"
	"syscall"
)

// detach lets a program that is about to start live on without this one and
// its terminal.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
