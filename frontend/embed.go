// Package frontend holds the built files of the window. Nothing is built yet,
// so Files has only a placeholder; the directory is committed so that a fresh
// clone compiles without Node.
package frontend

import "embed"

// Files holds what Vite builds, below dist.
//
//go:embed all:dist
var Files embed.FS
