package pull

import (
	"slices"
	"sync"

	"lanyard/sync/relpath"
)

// Progress is how far a round has come, kept for those who watch.
type Progress struct {
	mu    sync.Mutex
	total int64
	done  int64
	files map[relpath.Path]*fileProgress
	order []relpath.Path
}

type fileProgress struct{ done, total int64 }

// ProgressView is a Progress at one instant. Bytes count what has to be
// fetched or copied.
type ProgressView struct {
	Done, Total int64
	Files       []FileView // at most maxShown, oldest first
}

// FileView is one file on its way.
type FileView struct {
	Name        relpath.Path
	Done, Total int64
}

const maxShown = 20

func (p *Progress) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.done, p.order = 0, 0, nil
	p.files = map[relpath.Path]*fileProgress{}
}

func (p *Progress) add(it *item) {
	if !it.want.IsFile() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total += it.want.Size
	p.files[it.name()] = &fileProgress{total: it.want.Size}
	p.order = append(p.order, it.name())
}

func (p *Progress) wrote(it *item, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	if f := p.files[it.name()]; f != nil {
		f.done += n
	}
}

func (p *Progress) remove(it *item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.files, it.name())
	for len(p.order) > 0 && p.files[p.order[0]] == nil {
		p.order = p.order[1:]
	}
	if len(p.order) > 2*len(p.files)+64 { // behind a big file that takes long
		p.order = slices.DeleteFunc(p.order, func(name relpath.Path) bool { return p.files[name] == nil })
	}
}

func (p *Progress) view() ProgressView {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := ProgressView{Done: p.done, Total: p.total}
	for _, name := range p.order {
		if f := p.files[name]; f != nil && len(v.Files) < maxShown {
			v.Files = append(v.Files, FileView{Name: name, Done: f.done, Total: f.total})
		}
	}
	return v
}
