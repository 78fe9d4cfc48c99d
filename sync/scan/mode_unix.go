//go:build !windows

package scan

// equalModes reports whether announced permissions and those on this disk are
// the same as far as this system can tell.
func equalModes(announced, disk uint32) bool { return announced&0o777 == disk&0o777 }

// announcedMode gives the permissions to announce for those on this disk;
// before is what was announced last, 0 for nothing.
func announcedMode(disk, before uint32) uint32 { return disk & 0o777 }
