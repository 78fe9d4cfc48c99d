package ignore

// native gives what rules mean on this system: case does not count on Windows,
// where the backslash separates directories.
func native() platform { return platform{foldCase: true, escape: '|', backslash: true} }
