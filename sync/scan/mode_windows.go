package scan

// equalModes reports whether announced permissions and those on this disk are
// the same as far as this system can tell: it has only the owner's write bit.
func equalModes(announced, disk uint32) bool { return announced&0o600 == disk&0o600 }

// announcedMode gives the permissions to announce for those on this disk;
// before is what was announced last, 0 for nothing. This system knows neither
// others' right to write nor what is executable: the first is never announced,
// the second is kept.
func announcedMode(disk, before uint32) uint32 { return disk&0o755&^0o111 | before&0o111 }
