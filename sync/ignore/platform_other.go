//go:build !windows && !darwin

package ignore

// native gives what rules mean on this system: names are taken as they are.
func native() platform { return platform{escape: '\\'} }
