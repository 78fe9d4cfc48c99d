package pull

import (
	"lanyard/sync/bep"
	"lanyard/sync/plan"
	"lanyard/sync/status"
)

// deed gives what became of the name that an item was about, where people would
// call that something: no directory, and nothing that leaves the content as it
// was here.
func (it *item) deed() (d status.Deed, ok bool) {
	have, want := it.have(), it.want
	d = status.Deed{Path: want.Name.String(), Bytes: want.Size, By: want.ModifiedBy, Content: want.BlocksHash}
	had := have != nil && !have.Deleted && !have.Invalid
	switch it.decision.Do {
	case plan.Fetch, plan.MakeSymlink:
		switch {
		case it.moveFrom != nil:
			d.What, d.From = status.FileRenamed, it.moveFrom.Name.String()
		case had:
			d.What = status.FileChanged
		default:
			d.What = status.FileAdded
		}
		return d, true
	case plan.Delete:
		if !had || have.Type == bep.TypeDirectory {
			return d, false
		}
		d.What, d.Bytes, d.Content = status.FileDeleted, have.Size, have.BlocksHash
		return d, true
	}
	return d, false
}

// deed gives what became of a directory that was renamed with all that is in it.
func (m *movedTree) deed(from, to string) status.Deed {
	return status.Deed{What: status.FileRenamed, Path: to, From: from, By: m.entries[0].want.ModifiedBy}
}
