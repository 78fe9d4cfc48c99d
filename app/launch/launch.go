// Package launch starts programs that live on without the one that starts them:
// the engine starts the window, and the window the engine.
package launch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Beside gives the program of a name that lies in the directory of this one, ""
// where none does, or where this one is it.
func Beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	file := filepath.Join(filepath.Dir(self), name+filepath.Ext(self))
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || strings.EqualFold(file, self) {
		return ""
	}
	return file
}

// Detached starts a program that outlives this one, holds nothing of it, and has
// no terminal. The error says only whether it could be started.
func Detached(argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = string(filepath.Separator) // keeps no directory in use
	detach(cmd)
	keepToOurselves()
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // so that no entry of it stays; it says itself what is wrong
	return nil
}
