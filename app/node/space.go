package node

import (
	"math"
	"path/filepath"

	"lanyard/sync/fsys"
)

// FreeAt gives the bytes that may be written at a path, which need not exist
// yet, or 0 where that cannot be found out.
func FreeAt(path string) int64 {
	if !filepath.IsAbs(path) {
		return 0
	}
	for {
		if free, err := fsys.FreeAt(path); err == nil {
			return int64(min(free, math.MaxInt64))
		}
		parent := filepath.Dir(path)
		if parent == path {
			return 0
		}
		path = parent
	}
}
