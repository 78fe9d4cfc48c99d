package config

import (
	"os"
	"path/filepath"
)

// defaultHome is %LOCALAPPDATA%\Lanyard.
func defaultHome() (string, error) {
	local, err := os.UserCacheDir() // %LocalAppData%, or an error
	if err != nil {
		return "", err
	}
	return filepath.Join(local, "Lanyard"), nil
}
