//go:build linux || darwin

package login

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// withoutConsole gives a command that opens no terminal: any does here.
func withoutConsole(command []string) []string { return command }

// Set says whether the program is started at login; it takes effect at the next
// one.
func (e Entry) Set(on bool) error {
	file, err := e.file()
	if err != nil {
		return err
	}
	if !on {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(e.text()), 0o600)
}

// IsSet reports whether the program is started at login.
func (e Entry) IsSet() (bool, error) {
	file, err := e.file()
	if err != nil {
		return false, err
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && !turnedOff(string(data)), err
}
