//go:build !linux

package watch

// Room gives how many more directories the system lets this user watch. ok is
// false: this system has no such limit.
func Room() (free int, ok bool) { return 0, false }
