package folder

import (
	"lanyard/sync/bep"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/status"
)

// tellDid tells what people did to files, as new records say. What was adopted
// from another device, what the rules took away, directories, and what only
// changed its times or permissions is nothing of that kind.
func (r *Runner) tellDid(old map[relpath.Path]*index.Record, recs []index.Record) {
	const none = index.Ignored | index.Unsupported | index.Returned
	for i := range recs {
		rec := &recs[i]
		if rec.Type == bep.TypeDirectory || rec.Invalid || rec.Flags&none != 0 || rec.ModifiedBy != r.o.Self.Short() {
			continue
		}
		before := old[rec.Name]
		had := before != nil && !before.Deleted && !before.Invalid && before.Flags&none&^index.Returned == 0
		d := status.Deed{What: status.FileChanged, Path: rec.Name.String(), Bytes: rec.Size, By: rec.ModifiedBy, Content: rec.BlocksHash}
		switch {
		case rec.Deleted:
			if !had || len(rec.Version) == 0 && rec.Flags&index.ReceiveOnly == 0 {
				continue // it was lost, and comes back
			}
			d.What, d.Bytes, d.Content = status.FileDeleted, before.Size, before.BlocksHash
		case !had:
			d.What = status.FileAdded
		case before.SameContent(&rec.FileInfo):
			continue
		}
		r.o.Did(d)
	}
}
