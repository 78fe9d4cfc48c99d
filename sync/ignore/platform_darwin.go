package ignore

// native gives what rules mean on this system: case does not count on macOS.
func native() platform { return platform{foldCase: true, escape: '\\'} }
