package config

import (
	"os"
	"path/filepath"
)

// defaultHome is $XDG_STATE_HOME/lanyard, or ~/.local/state/lanyard. A
// relative XDG_STATE_HOME is invalid by the XDG specification and ignored.
func defaultHome() (string, error) {
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "lanyard"), nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(user, ".local", "state", "lanyard"), nil
}
