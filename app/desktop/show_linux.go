package desktop

import (
	"path/filepath"

	"lanyard/app/launch"
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
	return launch.Detached("xdg-open", path)
}
