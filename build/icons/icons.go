// Package icons holds the pictures of the project's mark.
package icons

import _ "embed"

// Mark is the mark, a PNG of 48 by 48 points.
//
//go:embed lanyard-48.png
var Mark []byte
