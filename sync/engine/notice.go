package engine

import (
	"lanyard/sync/bep"
	"lanyard/sync/watch"
)

// Notice lets a watcher outside of the engine tell what it saw in a folder.
func (e *Engine) Notice(id bep.FolderID, c watch.Change) {
	if f := e.folder(id); f != nil && f.runner != nil {
		f.runner.Notice(c)
	}
}
