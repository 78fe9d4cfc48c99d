// Package frontend holds the built pages of the window and of the browser. The
// directory that Vite builds into is committed empty, so that a fresh clone
// compiles without Node; such a program has no pages.
package frontend

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var files embed.FS

// Pages gives what Vite built, nil where nothing was built.
func Pages() fs.FS {
	pages, err := fs.Sub(files, "dist")
	if err != nil {
		panic("frontend: " + err.Error()) // the name above is a valid one
	}
	if _, err := fs.Stat(pages, "index.html"); err != nil {
		return nil
	}
	return pages
}
