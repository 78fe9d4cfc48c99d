package indextest

import (
	"fmt"
	"sync"
	"testing"

	"lanyard/sync/bep"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
)

// testConcurrent changes two names together, again and again, while readers
// want to see both at the same version; others call everything else.
func testConcurrent(t *testing.T, open Open) {
	f := openFolder(t, open)
	const rounds = 60
	done := make(chan struct{}) // closed by the writers' end
	var writers, readers sync.WaitGroup
	writers.Go(func() {
		for i := range uint64(rounds) {
			_, err := f.Update([]index.Record{local(file("a", 1, 1, version(1, i+1))), local(file("b", 6, 1, version(1, i+1)))})
			if err == nil {
				err = f.Barrier()
			}
			if err != nil {
				t.Errorf("writer: %v", err)
			}
		}
	})
	writers.Go(func() {
		for i := range uint64(rounds) {
			err := f.UpdateRemote(devA, []bep.FileInfo{file(fmt.Sprint("remote", i%7), 1, 1, version(2, i+1))})
			if err == nil && i%20 == 0 {
				err = f.Idle()
			}
			if err != nil {
				t.Errorf("remote writer: %v", err)
			}
		}
	})
	for _, read := range []func(index.Folder) error{readPairs, readNeeds, readSums} {
		readers.Go(func() {
			for {
				if err := read(f); err != nil {
					t.Errorf("reader: %v", err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

func readPairs(f index.Folder) error {
	recs, err := f.LocalRange(relpath.Root, relpath.Root, 10)
	if err != nil || len(recs) == 0 {
		return err
	}
	if len(recs) != 2 || recs[0].Version.Get(1) != recs[1].Version.Get(1) {
		return fmt.Errorf("saw half of a transaction: %v", recs)
	}
	return nil
}

func readNeeds(f index.Folder) error {
	needs, err := f.Needed(relpath.Root, 100)
	for i := range needs {
		if len(needs[i].From) != 1 {
			return fmt.Errorf("%s is needed from %v", needs[i].Global.Name, needs[i].From)
		}
	}
	return err
}

func readSums(f index.Folder) error {
	c, err := f.Counts()
	if err == nil && c.Local.Files != 0 && c.Local.Files != 2 {
		return fmt.Errorf("counted %d files, want 0 or 2", c.Local.Files)
	}
	if err == nil {
		_, err = f.LocalSince(f.Sequence()-1, 5)
	}
	return err
}
