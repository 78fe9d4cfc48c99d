package desktop

import (
	"os/exec"
	"path/filepath"
)

// showInFileManager shows a file or directory where it lies. What is opened is
// always a directory: opening a file could run it.
func showInFileManager(path string) error {
	if err := mustBeThere(path); err != nil {
		return err
	}
	if !isDirectory(path) {
		path = filepath.Dir(path)
	}
	cmd := exec.Command("xdg-open", path)
	detach(cmd)
	keepToOurselves()
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // the file manager says itself what is wrong
	return nil
}
