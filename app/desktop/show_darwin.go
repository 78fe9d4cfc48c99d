package desktop

import "os/exec"

// showInFileManager shows a file or directory where it lies, and opens neither.
func showInFileManager(path string) error {
	if err := mustBeThere(path); err != nil {
		return err
	}
	return exec.Command("open", "-R", path).Run()
}
