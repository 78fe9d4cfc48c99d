package launch

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// detach lets a program that is about to start live on without this one, and
// gives it no console window.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW | windows.CREATE_NEW_PROCESS_GROUP}
}

// keepToOurselves has nothing to do: only handles that are named are inherited.
func keepToOurselves() {}
