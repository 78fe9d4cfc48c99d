package index

import (
	"errors"
	"fmt"
)

// Recovery tells what the index lost.
func (f *sqliteFolder) Recovery() (Recovery, bool) {
	if r := f.now().recovery; r != nil {
		return *r, true
	}
	return Recovery{}, false
}

// Lose notes that the index lost something.
func (f *sqliteFolder) Lose(r Recovery) error {
	err := f.writing("begin recovery of index", func(ch *change) error {
		joined := r.join(ch.facts.recovery)
		ch.facts.recovery = &joined
		return ch.c.setRecovery(joined)
	})
	if err != nil {
		return err
	}
	return f.Barrier()
}

// join gives what is to be recovered where something was lost already.
func (r Recovery) join(before *Recovery) Recovery {
	if before == nil {
		return r
	}
	return Recovery{Cause: before.Cause, Through: min(before.Through, r.Through)}
}

// Recovered notes that the index is whole again.
func (f *sqliteFolder) Recovered() error {
	err := f.writing("end recovery of index", func(ch *change) error {
		ch.facts.recovery = nil
		return ch.c.setMeta(metaRecovery, "")
	})
	if err != nil {
		return err
	}
	return f.Barrier()
}

// rolledBack makes the index that of a device which may have told others more
// than it knows now. A recovery that was on its way goes on.
func (f *sqliteFolder) rolledBack() error {
	id, err := newIndexID()
	if err != nil {
		return err
	}
	r := f.facts.recovery
	if r == nil {
		r = &Recovery{Cause: RolledBack, Through: f.facts.seq}
	}
	f.opts.Log.Warn("the index is an older one than that which was used last", "folder", string(f.id))
	err = f.flush(func() error {
		return errors.Join(f.w.setMetaInt(metaIndexID, int64(id)), f.w.setRecovery(*r))
	})
	if err != nil {
		return err
	}
	f.facts.indexID, f.facts.recovery = id, r
	return nil
}

func (c *conn) setRecovery(r Recovery) error {
	return c.setMeta(metaRecovery, fmt.Sprintf("%s %d", r.Cause, r.Through))
}

func (c *conn) loadRecovery() (*Recovery, error) {
	text, err := c.meta(metaRecovery)
	if err != nil || text == "" {
		return nil, err
	}
	var r Recovery
	if _, err := fmt.Sscanf(text, "%s %d", &r.Cause, &r.Through); err != nil {
		return nil, damaged("what it says of its recovery is malformed")
	}
	return &r, nil
}
