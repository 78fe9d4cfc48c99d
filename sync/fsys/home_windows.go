package fsys

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// onNetwork asks for the kind of the drive; a path without a drive is a share.
func onNetwork(path string) bool {
	volume, err := windows.UTF16PtrFromString(filepath.VolumeName(path) + `\`)
	return err == nil && windows.GetDriveType(volume) == windows.DRIVE_REMOTE
}
