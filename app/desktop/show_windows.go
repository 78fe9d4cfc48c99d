package desktop

import (
	"os/exec"
	"syscall"
)

// showInFileManager shows a file or directory where it lies, and opens neither.
func showInFileManager(path string) error {
	if err := mustBeThere(path); err != nil {
		return err
	}
	cmd := exec.Command("explorer.exe")
	// It reads its command line by rules of its own; a path holds no quote.
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `explorer.exe /select,"` + path + `"`}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // its exit code says nothing
	return nil
}
