package scan

import (
	"sync"
	"time"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

const (
	// aheadDirs is how many directories of a level are listed before the walk
	// comes to them, and how many in all are being listed at a time. A disk
	// answers several questions at once faster than one after the other, and
	// looking at names takes longer than comparing them.
	aheadDirs = 4
	// aheadAge is how old a listing may become. It was true when it was made,
	// and the later it is compared, the more of it is looked at in vain.
	aheadAge = time.Second
)

// ahead lists directories that the walk is about to come to. A nil one lists
// none. Its methods are for the walking goroutine.
type ahead struct {
	fs    fsys.FS
	turns chan struct{}
	ended chan struct{} // closed when nothing is wanted any more
	wg    sync.WaitGroup
	early map[relpath.Path]*early
}

// early is a listing that was asked for ahead.
type early struct {
	done    chan struct{} // closed when the rest is there
	began   time.Time
	entries []fsys.Entry
	err     error
}

func newAhead(f fsys.FS) *ahead {
	return &ahead{fs: f, turns: make(chan struct{}, aheadDirs), ended: make(chan struct{}), early: map[relpath.Path]*early{}}
}

// start begins to list a directory.
func (a *ahead) start(dir relpath.Path) {
	e := &early{done: make(chan struct{})}
	a.early[dir] = e
	a.wg.Go(func() {
		select {
		case a.turns <- struct{}{}:
		case <-a.ended:
			return
		}
		e.began = time.Now()
		e.entries, e.err = a.fs.ReadDir(dir)
		<-a.turns
		close(e.done)
	})
}

// readDir lists a directory, with what was read ahead where that is good.
func (a *ahead) readDir(dir relpath.Path, f fsys.FS) ([]fsys.Entry, error) {
	if a != nil {
		if e := a.early[dir]; e != nil {
			delete(a.early, dir)
			<-e.done
			if e.err == nil && time.Since(e.began) < aheadAge {
				return e.entries, nil
			}
		}
	}
	return f.ReadDir(dir)
}

// end gives up what was not begun and waits for the rest. It is called once, and
// nothing may be asked for afterwards.
func (a *ahead) end() {
	if a != nil {
		close(a.ended)
		a.wg.Wait()
	}
}

// level is the part of a walk that goes over the names of one directory.
type level struct {
	dir     relpath.Path
	items   []item
	next    int            // the first that was not considered
	started []relpath.Path // in order
	at      []int          // their places in items
}

// readAhead has the next directories of a level listed, seen from the entry
// that the walk is at. It touches none that the rules leave out: it may be on
// a disk that does not answer.
func (w *walker) readAhead(l *level, i int) {
	if w.ahead == nil {
		return
	}
	for len(l.at) > 0 && l.at[0] < i-1 { // the one before may be entered yet
		delete(w.ahead.early, l.started[0])
		l.started, l.at = l.started[1:], l.at[1:]
	}
	for l.next = max(l.next, i+1); len(l.at) < aheadDirs && l.next < len(l.items); l.next++ {
		it := &l.items[l.next]
		if it.info.Kind != fsys.Directory || it.held {
			continue
		}
		p, err := l.dir.Join(it.name)
		if err != nil || internal(l.dir, p, it.name) {
			continue
		}
		if ignored, _ := w.Ignore.Match(p, true); ignored {
			continue
		}
		w.ahead.start(p)
		l.started, l.at = append(l.started, p), append(l.at, l.next)
	}
}

// leave forgets what was listed ahead and is not wanted any more.
func (w *walker) leave(l *level) {
	for _, p := range l.started {
		delete(w.ahead.early, p)
	}
}
