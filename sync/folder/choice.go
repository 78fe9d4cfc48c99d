package folder

import (
	"encoding/json"
	"slices"

	"lanyard/sync/bep"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
	"lanyard/sync/status"
	"lanyard/sync/vector"
)

// A directory that holds files is joined. What stands there under a name that
// another device has with other content was made without knowledge of it, so that
// both versions are kept, as of every conflict. A person who saw before what
// differs may have chosen the one side for all of it: then the first record of
// each such file says what follows from that. It claims to be made from the other
// version, which the other device then replaces; or it claims nothing, and is
// replaced here. Either way the one that goes is an old version where it stood,
// and no copy is made anywhere.
//
// The choice holds for what was looked at, file by file: for one that was changed
// here since, or there where ours was to replace it, both are kept.

// metaChoice is the index key under which a choice stands until the folder is
// scanned.
const metaChoice = "choice"

// MaxRivals is for how many files a choice can be made.
const MaxRivals = 100_000

// Rival is a file or a link that stands here, and on another device with other
// content.
type Rival struct {
	Name  relpath.Path
	Here  index.Stamp   // of what stands here
	There vector.Vector // the version of what stands there
}

// choice is what is kept of one: of each file, as it was looked at.
type choice struct {
	Keep  status.Keep      `json:"keep"`
	Files map[string]rival `json:"files"`
}

type rival struct {
	Here  index.Stamp   `json:"here"`
	There vector.Vector `json:"there"`
}

// Choose notes, durably, what is to become of files that differ when the folder of
// an index is joined that has no records yet: status.KeepMine or KeepTheirs.
func Choose(ix index.Folder, keep status.Keep, rivals []Rival) error {
	c := choice{Keep: keep, Files: make(map[string]rival, len(rivals))}
	for _, r := range rivals {
		c.Files[r.Name.String()] = rival{r.Here, r.There}
	}
	if err := c.store(ix); err != nil {
		return err
	}
	return ix.Barrier()
}

func (c *choice) store(ix index.Folder) error {
	if len(c.Files) == 0 {
		return ix.SetMeta(metaChoice, "")
	}
	text, err := json.Marshal(c)
	if err != nil {
		return fault.Wrap(fault.Folder, "", "note what was chosen", "", err)
	}
	return ix.SetMeta(metaChoice, string(text))
}

// chosen gives what is left of a choice, which may be nothing. It runs on the Disk
// turn.
func (r *Runner) chosen() (*choice, error) {
	if r.choice != nil {
		return r.choice, nil
	}
	text, err := r.o.Index.Meta(metaChoice)
	if err != nil {
		return nil, err
	}
	c := &choice{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), c); err != nil {
			r.o.Log.Warn("what was chosen cannot be read; both versions are kept", "error", err)
			c = &choice{}
		}
	}
	r.choice = c
	return c, nil
}

// prefer gives the first records of files of which a person chose one version
// those versions that say so. old is what the records were compared with. It runs
// on the Disk turn, right before they are stored.
func (r *Runner) prefer(old map[relpath.Path]*index.Record, recs []index.Record) error {
	c, err := r.chosen()
	if err != nil || len(c.Files) == 0 || r.o.Type != bep.SendReceive || r.incomplete() {
		return err
	}
	for i := range recs {
		rec := &recs[i]
		was, ok := c.Files[rec.Name.String()]
		if !ok || old[rec.Name] != nil || rec.Stamp != was.Here || !r.madeAlone(rec) {
			continue
		}
		if c.Keep == status.KeepMine {
			self := uint64(r.o.Self.Short())
			rec.Version = vector.Merge(rec.Version, was.There).Bump(self, 0)
		} else {
			*rec = scan.Yield(*rec, r.o.Self.Short())
		}
	}
	return nil
}

// madeAlone reports whether a record is one of ours that knows of nothing else: no
// version of another device had its content.
func (r *Runner) madeAlone(rec *index.Record) bool {
	self := r.o.Self.Short()
	return !rec.Deleted && rec.ModifiedBy == self && len(rec.Version) > 0 &&
		slices.Equal(rec.Version, rec.Version.Only(uint64(self)))
}

// endChoice forgets a choice after a scan of everything, but for files that the
// scan could not read and that are what they were. It runs on the Disk turn.
func (r *Runner) endChoice(f fsys.FS) {
	c, err := r.chosen()
	if err != nil || len(c.Files) == 0 {
		return // the next scan of everything tries again
	}
	left := choice{Keep: c.Keep, Files: map[string]rival{}}
	for name, was := range c.Files {
		p, err := relpath.Parse(name)
		if err != nil || r.Ignored(p) {
			continue
		}
		_, known, err := r.o.Index.Local(p)
		if err != nil {
			r.o.Log.Warn("end what was chosen", "error", err)
			return
		}
		if known {
			continue
		}
		if look, err := f.Lstat(p); err == nil && index.StampOf(look) == was.Here {
			left.Files[name] = was
		}
	}
	if len(left.Files) == len(c.Files) {
		return
	}
	if err := left.store(r.o.Index); err != nil {
		r.o.Log.Warn("end what was chosen", "error", err)
		return
	}
	r.choice = &left
}
