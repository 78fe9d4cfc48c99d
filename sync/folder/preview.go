package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"slices"
	"time"

	"lanyard/sync/bep"
	"lanyard/sync/block"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// maxDiffering is how many names that differ a preview lists, and previewPage
// how many entries of the other device are read at a time.
const (
	maxDiffering = 20
	previewPage  = 1000
)

// Preview compares a place on the disk with what another device announces of a
// folder, as an index holds it that has nothing else. It changes neither. A nil
// disk is a place where nothing is yet. rival is called with each file that
// differs and of which one version can be chosen; nil is fine.
func Preview(ctx context.Context, disk fsys.FS, theirs index.Folder, pool *block.Pool, rival func(Rival)) (status.Preview, error) {
	c, err := theirs.Counts()
	if err != nil {
		return status.Preview{}, err
	}
	p := &previewer{disk: disk, theirs: theirs, pool: pool, rival: rival, differing: sha256.New()}
	p.out.Names = []status.Differing{}
	p.out.There = status.Amount{Files: c.Global.Files + c.Global.Links, Bytes: c.Global.Bytes}
	if disk != nil {
		if err := p.compare(ctx); err != nil {
			return status.Preview{}, err
		}
	}
	p.out.Incoming += p.out.There.Bytes
	p.out.Outgoing += p.out.Here.Bytes
	p.out.Token = hex.EncodeToString(p.differing.Sum(nil)[:8])
	return p.out, nil
}

// previewer makes one preview. There begins as all that the device has, and
// each name that is found here is taken off.
type previewer struct {
	disk   fsys.FS
	theirs index.Folder
	pool   *block.Pool
	rules  matcher
	out    status.Preview

	rival     func(Rival)
	differing hash.Hash // of what differs, as it was looked at
}

func (p *previewer) compare(ctx context.Context) error {
	rules, err := loadRules(p.disk)
	if err != nil {
		return err
	}
	p.rules = matcher{rules}
	if len(rules.Lines()) > 0 {
		if err := p.leaveOut(ctx); err != nil {
			return err
		}
	}
	return p.directory(ctx, relpath.Root)
}

// leaveOut takes off what the rules here ignore: it would not come.
func (p *previewer) leaveOut(ctx context.Context) error {
	after := relpath.Root
	for {
		page, err := p.theirs.Needed(after, previewPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			g := &page[i].Global
			if ignored, _ := p.rules.Match(g.Name, false); ignored && !g.Deleted {
				p.found(g)
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		after = page[len(page)-1].Global.Name
	}
}

// found takes a version of theirs off what is there alone.
func (p *previewer) found(g *bep.FileInfo) {
	switch g.Type {
	case bep.TypeFile:
		p.out.There.Files--
		p.out.There.Bytes -= g.Size
	case bep.TypeSymlink:
		p.out.There.Files--
	}
}

func (p *previewer) directory(ctx context.Context, dir relpath.Path) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	entries, err := p.disk.ReadDir(dir)
	switch {
	case err != nil && dir.IsRoot():
		return err
	case err != nil:
		p.out.Skipped++
		return nil
	}
	for _, e := range entries {
		normal := relpath.Normal(e.Name)
		name, err := dir.Join(normal)
		twin := normal != e.Name && slices.ContainsFunc(entries, func(o fsys.Entry) bool { return o.Name == normal })
		if err != nil || twin {
			p.out.Skipped++
			continue
		}
		isDir := e.Info.Kind == fsys.Directory
		ignored, skip := p.rules.Match(name, isDir)
		if name.Internal() {
			continue
		}
		if !ignored {
			if err := p.name(ctx, name, dir, e); err != nil {
				return err
			}
		}
		if isDir && !(ignored && skip) {
			if err := p.directory(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// name compares one name of a listing.
func (p *previewer) name(ctx context.Context, name, dir relpath.Path, e fsys.Entry) error {
	if e.Info.Kind == fsys.Other {
		p.out.Skipped++
		return nil
	}
	g, _, known, err := p.theirs.Global(name)
	if err != nil {
		return err
	}
	if !known || g.Deleted || g.Invalid {
		p.onlyHere(e)
		return nil
	}
	p.found(&g)
	same, err := p.same(ctx, name, e, &g)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil: // it went, or it cannot be read
		p.out.Skipped++
	case same && e.Info.Kind != fsys.Directory:
		p.out.Same.Files++
		p.out.Same.Bytes += g.Size
	case !same:
		p.differs(name, e, &g)
	}
	return nil
}

func (p *previewer) onlyHere(e fsys.Entry) {
	switch e.Info.Kind {
	case fsys.Regular:
		p.out.Here.Files++
		p.out.Here.Bytes += e.Info.Size
	case fsys.Symlink:
		p.out.Here.Files++
	}
}

func (p *previewer) differs(name relpath.Path, e fsys.Entry, g *bep.FileInfo) {
	p.out.Differ++
	d := status.Differing{
		Name:  name.String(),
		There: status.Version{Bytes: g.Size, Modified: time.Unix(0, g.ModUnixNano()).UTC()},
		Here:  status.Version{Modified: time.Unix(0, e.Info.Mtime).UTC()},
	}
	if e.Info.Kind == fsys.Regular {
		d.Here.Bytes = e.Info.Size
	}
	p.out.Incoming += d.There.Bytes
	p.out.Outgoing += d.Here.Bytes
	if len(p.out.Names) < maxDiffering {
		p.out.Names = append(p.out.Names, d)
	}
	r := Rival{Name: name, Here: index.StampOf(e.Info), There: g.Version}
	fmt.Fprintf(p.differing, "%q %+v %v\n", r.Name.String(), r.Here, r.There) // a hash never fails
	// What is in a directory is compared name by name.
	if p.rival != nil && e.Info.Kind != fsys.Directory && g.Type != bep.TypeDirectory {
		p.rival(r)
	}
}

// same reports whether an entry has the content of theirs. A file of the same
// size and time is not read: it is when the folder is joined.
func (p *previewer) same(ctx context.Context, name relpath.Path, e fsys.Entry, g *bep.FileInfo) (bool, error) {
	switch {
	case e.Info.Kind == fsys.Directory:
		return g.Type == bep.TypeDirectory, nil
	case e.Info.Kind == fsys.Symlink && g.Type == bep.TypeSymlink:
		target, err := p.disk.Readlink(name)
		return target == g.SymlinkTarget, err
	case e.Info.Kind != fsys.Regular || g.Type != bep.TypeFile || e.Info.Size != g.Size:
		return false, nil
	case e.Info.Mtime == g.ModUnixNano():
		p.out.Unread++
		return true, nil
	}
	return p.sameBytes(ctx, name, g)
}

func (p *previewer) sameBytes(ctx context.Context, name relpath.Path, g *bep.FileInfo) (bool, error) {
	f, err := p.disk.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close() // only read from: nothing is lost with the error
	blocks, err := p.pool.HashFile(ctx, f, g.Size, max(g.BlockSize, block.MinSize))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return false, fs.ErrNotExist // it changes while it is read
	}
	if err != nil {
		return false, err
	}
	ours := bep.FileInfo{Type: bep.TypeFile, Size: g.Size, BlockSize: g.BlockSize, Blocks: blocks}
	return ours.SameContent(g), nil
}
