package config

import (
	"os"
	"path/filepath"
)

// defaultHome is ~/Library/Application Support/Lanyard.
func defaultHome() (string, error) {
	user, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(user, "Library", "Application Support", "Lanyard"), nil
}
