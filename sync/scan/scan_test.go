package scan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/block"
	"lanyard/sync/fault"
	"lanyard/sync/fsys"
	"lanyard/sync/index"
	"lanyard/sync/relpath"
	"lanyard/sync/scan"
	"lanyard/sync/vector"
)

func codeOf(err error) fault.Code { return fault.CodeOf(err) }

func TestAScanFindsEveryKindOfChange(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.write("a/x", "one")
	r.write("a-b", "two")
	r.write("a.txt", "three")
	r.must(r.user.Symlink("a/x", "link"))
	r.expect("a first scan finds all, in the order of names", "a, a-b, a.txt, a/x, link")
	if d := cmp.Diff(r.onDisk(), r.live()); d != "" {
		t.Fatal(d)
	}
	r.expect("nothing changed", "")
	r.write("a/x", "changed")
	r.expect("an edit", "a/x")
	r.must(r.user.Chmod("a", 0o700))
	r.must(r.user.Chmod("a-b", 0o600))
	r.expect("modes of a directory and a file", "a, a-b")
	r.must(r.user.Rename("a.txt", "b.txt"))
	r.expect("the new name of a rename comes before the end of the old one", "b.txt, a.txt gone")
	r.must(r.user.RemoveAll("a"))
	r.expect("children go before their directory", "a/x gone, a gone")
	r.expect("what is gone stays gone", "")
	r.write("a", "a file where a directory was")
	r.expect("a name that comes back", "a")
	if rec := r.record("a"); !rec.IsFile() {
		t.Errorf("record %+v, want a file", rec)
	}
}

func TestANewVersionIsGreaterThanTheOldAndNamesWhatItWasMadeFrom(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.write("f", "one")
	r.scan()
	first := r.record("f")
	if got := first.Version.Get(uint64(us)); got != uint64(r.now.Unix()) || len(first.Version) != 1 {
		t.Errorf("version %v, want only our counter at the time of the scan, %d", first.Version, r.now.Unix())
	}
	if first.PreviousBlocksHash != nil {
		t.Errorf("a new file has a previous content")
	}
	r.write("f", "two")
	r.scan()
	second := r.record("f")
	if vector.Compare(second.Version, first.Version) != vector.Greater {
		t.Errorf("version %v after %v, want greater", second.Version, first.Version)
	}
	if d := cmp.Diff(first.BlocksHash, second.PreviousBlocksHash); d != "" {
		t.Errorf("previous content: %s", d)
	}
	r.must(r.user.Chtimes("f", 12345))
	r.scan()
	touched := r.record("f")
	if touched.ModUnixNano() != 12345 || vector.Compare(touched.Version, second.Version) != vector.Greater {
		t.Errorf("after a touch: %+v", touched)
	}
	if d := cmp.Diff(second.Blocks, touched.Blocks); d != "" {
		t.Errorf("a touch changed the blocks: %s", d)
	}
}

// A backup is put back, and the file is changed anew, all within a second or
// with a clock that stands still.
func TestAChangeAfterALossHasAnotherCounterThanTheLostOne(t *testing.T) {
	given := map[uint64]int64{}
	for run := int64(1); run <= 20; run++ {
		r := newRig(t, fsys.MemOptions{})
		r.opts.Run = run
		r.write("f", "one")
		r.scan()
		first := r.record("f").Version
		now := uint64(r.now.Unix())
		if got := first.Get(uint64(us)); got < now || got >= now+1<<16 {
			t.Errorf("run %d: counter %d, want one within 65,536 s of the time %d", run, got, now)
		}
		r.write("f", "two")
		r.scan()
		second := r.record("f").Version
		if vector.Compare(second, first) != vector.Greater {
			t.Errorf("run %d: version %v after %v, want greater", run, second, first)
		}
		for _, v := range []vector.Vector{first, second} {
			if other, was := given[v.Get(uint64(us))]; was {
				t.Errorf("run %d gave the counter of run %d", run, other)
			}
			given[v.Get(uint64(us))] = run
		}
	}
}

func TestADeletionKeepsNothingButTheName(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.write("f", "one")
	r.scan()
	before := r.record("f")
	r.must(r.user.Remove("f"))
	r.scan()
	got := r.record("f")
	if vector.Compare(got.Version, before.Version) != vector.Greater {
		t.Errorf("version %v after %v", got.Version, before.Version)
	}
	if !got.Deleted || got.Size != 0 || got.Blocks != nil || got.BlocksHash != nil ||
		got.ModifiedS != r.now.Unix() || got.ModifiedBy != us || got.Stamp != (index.Stamp{}) {
		t.Errorf("record %+v", got)
	}
}

func TestEqualContentWithAnotherStampChangesNoVersion(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.write("f", "one")
	r.scan()
	before := r.record("f")
	mtime := before.ModUnixNano()
	r.must(r.user.Remove("f"))
	r.write("f", "one") // another inode
	r.must(r.user.Chtimes("f", mtime))
	r.expect("only the stamp is new", "f restamped")
	after := r.record("f")
	if vector.Compare(before.Version, after.Version) != vector.Equal || before.Stamp == after.Stamp {
		t.Errorf("version %v to %v, stamp %v to %v", before.Version, after.Version, before.Stamp, after.Stamp)
	}
	r.expect("and is known from then on", "")
}

func TestAPatientScanLeavesABigFileThatIsBeingWritten(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.opts.Patient = true
	r.write("big", "x")
	file, err := r.disk.OpenTemp(relpath.MustParse("big"))
	r.must(err)
	r.must(file.Truncate(64<<20 + 1))
	r.must(file.Close())
	r.must(r.user.Chtimes("big", r.now.Add(time.Minute-time.Second/2).UnixNano())) // scan adds a minute
	if res := r.expect("it waits", ""); len(res.Moved) != 1 {
		t.Errorf("moved %v, want the big file", res.Moved)
	}
	r.expect("until it rests", "big")
}

func TestARenamedFileKeepsItsBlockSize(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.write("old", "small")
	r.must(r.user.Chtimes("old", r.now.UnixNano()))
	file, err := r.disk.OpenTemp(relpath.MustParse("old"))
	r.must(err)
	r.must(file.Truncate(250_000_000)) // blocks of 128 KiB
	r.scan()
	r.must(file.Truncate(270_000_000)) // blocks of 256 KiB, were it new
	r.must(file.Close())
	r.scan()
	if got := r.record("old").BlockSize; got != block.MinSize {
		t.Fatalf("block size %d of the file that grew, want %d", got, block.MinSize)
	}
	r.must(r.user.Rename("old", "new"))
	r.scan()
	if got := r.record("new"); got.BlockSize != block.MinSize {
		t.Errorf("block size %d of the renamed file, want %d", got.BlockSize, block.MinSize)
	}
}

func TestAFileWrittenWithinTheLastTickIsHashedOnceMore(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.now = r.now.Add(time.Minute)
	r.must(r.user.WriteFile("f", []byte("one")))
	r.now = r.now.Add(10*time.Millisecond - time.Minute) // scan adds the minute
	r.expect("it is announced at once", "f")
	if r.record("f").Flags != index.MustRescan {
		t.Fatalf("flags %v, want MustRescan", r.record("f").Flags)
	}
	if res := r.expect("the next scan reads it again", "f restamped"); res.Hashed != 3 {
		t.Errorf("hashed %d bytes, want 3", res.Hashed)
	}
	if r.record("f").Flags != 0 {
		t.Errorf("flags %v, want none", r.record("f").Flags)
	}
	r.expect("and believes it then", "")
}

func TestAbsenceNeedsACompleteListing(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	for _, name := range []string{"a/x", "d/deep/y", "d/z", "e"} {
		r.write(name, name)
	}
	r.scan()
	r.must(r.user.RemoveAll("d"))
	r.must(r.user.MkdirAll("d"))
	r.must(r.user.Remove("e"))
	r.disk.SetListing(func(dir string, entries []fsys.Entry) ([]fsys.Entry, error) {
		if dir == "d" {
			return nil, errors.New("I/O error")
		}
		return entries, nil
	})
	res := r.expect("nothing below an unreadable directory is absent", "e gone")
	if d := cmp.Diff([]string{`"d" dir-unreadable`}, problems(res)); d != "" {
		t.Error(d)
	}
	r.expect("nor in a scan of the name itself", "", "d/z")
	r.disk.SetListing(nil)
	r.expect("once it can be listed, they are", "d/z gone, d/deep/y gone, d/deep gone")
}

func TestAnUnlistableRootEndsTheScan(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*rig)
	}{
		{"root gone", func(r *rig) { r.disk.SetRoot(fsys.RootGone) }},
		{"root replaced", func(r *rig) { r.disk.SetRoot(fsys.RootReplaced) }},
		{"listing fails", func(r *rig) {
			r.disk.SetListing(func(string, []fsys.Entry) ([]fsys.Entry, error) { return nil, errors.New("stale") })
		}},
		{"marker missing", func(r *rig) { r.opts.Proof = func() error { return errors.New("no marker") } }},
		{"root replaced during the scan", func(r *rig) {
			r.disk.SetListing(func(_ string, e []fsys.Entry) ([]fsys.Entry, error) {
				r.disk.SetRoot(fsys.RootReplaced)
				return nil, nil
			})
		}},
		{"marker gone between walk and store", func(r *rig) {
			r.must(r.user.RemoveAll("a"))
			r.between = func() { r.opts.Proof = func() error { return errors.New("no marker") } }
		}},
	} {
		r := newRig(t, fsys.MemOptions{})
		r.write("a/x", "one")
		r.scan()
		tt.do(r)
		if _, err := r.tryScan(); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
		if len(r.stored) > 0 {
			t.Errorf("%s: stored %s", tt.name, r.changed())
		}
	}
}

func TestWhatCannotBeReadOrEnteredIsReportedAndNotAbsent(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	for _, name := range []string{"disk/x", "fifo", "long", "z"} {
		r.write(name, name)
	}
	r.scan()
	r.must(r.user.RemoveAll("disk"))
	r.must(r.user.Remove("fifo"))
	r.must(r.user.Special("disk"))
	r.must(r.user.Special("fifo"))
	r.must(r.user.WriteFile("bad\xff", []byte("x")))
	r.must(r.user.MkdirAll("dir\xff/sub"))
	for _, subtrees := range [][]string{nil, {"disk", "fifo"}, {"disk/x"}} {
		r.expect(fmt.Sprint("nothing is absent in a scan of ", subtrees), "", subtrees...)
	}
	res := r.scan()
	want := []string{`"bad\xff" name-not-text`, `"dir\xff" name-not-text`, `"disk" not-a-file`, `"fifo" not-a-file`}
	if d := cmp.Diff(want, problems(res)); d != "" {
		t.Error(d)
	}
}

func TestAFileThatMovesWhileItIsHashedIsLeftForTheNextRound(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.write("f", "one")
	edits := 0
	r.disk.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpRead && edits == 0 {
			edits++
			r.now = r.now.Add(time.Hour)
			return r.user.WriteFile("f", []byte("two"))
		}
		return nil
	})
	res := r.expect("nothing is announced", "")
	if d := cmp.Diff([]string{"f"}, texts(res.Moved)); d != "" {
		t.Error(d)
	}
	r.expect("the next round has it", "f")
}

func texts(paths []relpath.Path) (out []string) {
	for _, p := range paths {
		out = append(out, p.String())
	}
	return out
}

func TestConfirmDropsWhatOthersDidMeanwhile(t *testing.T) {
	tests := []struct {
		name    string
		between func(*rig)
		stored  string
		recheck string
	}{
		{"nothing", func(*rig) {}, "changed, new, gone gone", "[]"},
		{"an edit of the changed file", func(r *rig) { r.write("changed", "again") }, "new, gone gone", "[changed]"},
		{"the file was removed", func(r *rig) { r.must(r.user.Remove("new")) }, "changed, gone gone", "[new]"},
		{"the gone file is back", func(r *rig) { r.write("gone", "back") }, "changed, new", "[gone]"},
		{"a link stands where the gone file was", func(r *rig) { r.must(r.user.Symlink("x", "gone")) }, "changed, new", "[gone]"},
		{"a pull stored another record", func(r *rig) {
			rec := r.record("changed")
			_, err := r.index.Update([]index.Record{rec})
			r.must(err)
		}, "new, gone gone", "[changed]"},
		{"a pull stored the new name", func(r *rig) {
			_, err := r.index.Update([]index.Record{{FileInfo: fileInfo("new", "x", r.now, vector.Vector{{ID: 9, Value: 1}})}})
			r.must(err)
		}, "changed, gone gone", "[new]"},
	}
	for _, tt := range tests {
		r := newRig(t, fsys.MemOptions{})
		r.write("changed", "one")
		r.write("gone", "one")
		r.scan()
		r.write("changed", "two")
		r.write("new", "one")
		r.must(r.user.Remove("gone"))
		r.between = func() { tt.between(r) }
		r.scan()
		if got := r.changed(); got != tt.stored {
			t.Errorf("%s: stored %q, want %q", tt.name, got, tt.stored)
		}
		if got := fmt.Sprint(texts(r.recheck)); got != tt.recheck {
			t.Errorf("%s: to check again %s, want %s", tt.name, got, tt.recheck)
		}
	}
}

func TestASubtreeScanSeesOnlyItsNames(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	for _, name := range []string{"a/x", "a/y/z", "a-b", "b/c/d"} {
		r.write(name, name)
	}
	r.scan()
	r.write("a/x", "changed")
	r.write("a-b", "changed")
	r.write("b/new/dir/f", "new")
	r.expect("a directory", "a/x", "a")
	r.expect("a name below a directory nobody knows is widened to it", "b/new, b/new/dir, b/new/dir/f", "b/new/dir/f")
	r.must(r.user.RemoveAll("a"))
	r.expect("a name whose directory vanished", "a/y/z gone", "a/y/z")
	r.expect("a directory that vanished, with all below it", "a/y gone, a/x gone, a gone", "a", "a/x")
	r.expect("a name that never was", "", "never/was")
	r.must(r.user.RemoveAll("b/c"))
	r.write("b/c", "a file now")
	r.expect("a name whose directory became a file", "b/c/d gone", "b/c/d")
	r.expect("and the file", "b/c", "b/c")
	r.expect("the rest", "a-b")
}

func TestNamesInAnotherNormalFormAreRenamedOnce(t *testing.T) {
	const nfd, nfc = "u\u0308ber", "\u00fcber"
	r := newRig(t, fsys.MemOptions{})
	r.write(nfd+"/z"+nfd, "one")
	res := r.expect("they arrive in form C", nfc+", "+nfc+"/z"+nfc)
	if len(res.Renamed) != 2 || res.Renamed[0].From != nfd {
		t.Errorf("renamed %q", res.Renamed)
	}
	if d := cmp.Diff([]string{nfc, nfc + "/z" + nfc}, sortedKeys(r.onDisk())); d != "" {
		t.Error(d)
	}
	r.expect("the rename is a fresh ctime, so the file is read once more", nfc+"/z"+nfc+" restamped")
	r.expect("and that is all", "")
	r.write(nfd, "a twin")
	res = r.expect("never onto an existing name", "")
	if d := cmp.Diff([]string{`"` + nfd + `" name-twin`}, problems(res)); d != "" {
		t.Error(d)
	}
	r.must(r.user.Remove(nfd))
	r.must(r.user.Rename(nfc, nfd))
	r.disk.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpRenameNoReplace {
			return errors.New("read-only")
		}
		return nil
	})
	r.expect("a name that cannot be renamed is not absent", "")
	r.disk.SetHook(nil)
	r.expect("a single name is found in its other form", "", nfc)
}

func TestADiskThatDecomposesNamesIsScannedAsItIs(t *testing.T) {
	r := newRig(t, fsys.MemOptions{Decompose: true})
	r.write("\u00fcber/\u00e4", "one")
	res := r.expect("in form C", "\u00fcber, \u00fcber/\u00e4")
	if len(res.Renamed)+len(res.Problems) > 0 {
		t.Errorf("%+v", res)
	}
	r.expect("without end", "")
	r.expect("by name", "", "\u00fcber/\u00e4")
}

func TestARespelledNameOnADiskThatIgnoresCase(t *testing.T) {
	r := newRig(t, fsys.MemOptions{CaseInsensitive: true})
	r.write("Name", "one")
	r.scan()
	r.must(r.user.Rename("Name", "name"))
	r.expect("the old spelling is gone", "Name gone", "Name")
	r.expect("and the new one there", "name")
	r.expect("and that is all", "")
}

func TestTemporaryFilesAreListedByAge(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.write("d/.syncthing.old.tmp", "x")
	r.write(".stfolder/.syncthing.mine.tmp", "x")
	r.now = r.now.Add(25 * time.Hour)
	r.write("d/~syncthing~new.tmp", "x")
	r.write(".stignore", "x")
	r.write(".stversions/old", "x")
	res := r.expect("our own names take no part", "d")
	if d := cmp.Diff([]string{"d/.syncthing.old.tmp"}, texts(res.StaleTemps)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"d/~syncthing~new.tmp"}, texts(res.Temps)); d != "" {
		t.Error(d)
	}
}

func TestATemporaryFileWithTheOldTimeOfItsVersionIsNotStale(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.write(".syncthing.built.tmp", "x")
	r.must(r.disk.Chtimes(relpath.MustParse(".syncthing.built.tmp"), r.now.AddDate(-3, 0, 0).UnixNano()))
	if res := r.scan(); len(res.StaleTemps) > 0 {
		t.Errorf("stale: %v, want none", texts(res.StaleTemps))
	}
}

func TestTheGateDecidesWhichAbsencesAreAnnounced(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	for _, name := range []string{"a", "b", "c"} {
		r.write(name, name)
	}
	r.scan()
	for _, name := range []string{"a", "b", "c"} {
		r.must(r.user.Remove(name))
	}
	var asked [][]relpath.Path
	r.opts.Gate = func(absent []relpath.Path) []relpath.Path {
		asked = append(asked, absent)
		return absent[:1]
	}
	res := r.expect("only what passes", "c gone")
	if len(asked) != 1 || len(asked[0]) != 3 || res.Absent != 3 {
		t.Errorf("asked %v, %d absent", asked, res.Absent)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	for _, workers := range []int{1, 3} {
		r := newRig(t, fsys.MemOptions{})
		for i := range 600 {
			r.must(r.user.WriteFile(fmt.Sprintf("f%03d", i), []byte("x")))
		}
		r.must(r.user.WriteFile("a-big", make([]byte, 17<<20)))
		r.rest()
		r.opts.Pool = block.NewPool(workers)
		var sizes []int
		_, err := scan.Walk(context.Background(), r.opts, nil, func(batch []scan.Candidate) error {
			sizes = append(sizes, len(batch))
			return nil
		})
		r.must(err)
		total := 0
		for _, n := range sizes {
			total += n
		}
		if slices.Max(sizes) > 250 || total != 601 {
			t.Errorf("%d workers: batches of %v, want at most 250 and 601 in all", workers, sizes)
		}
	}
}

func TestTheErrorOfEmitAndTheEndOfTheContextEndAWalk(t *testing.T) {
	for _, workers := range []int{1, 3} {
		r := newRig(t, fsys.MemOptions{})
		for i := range 1000 {
			r.must(r.user.WriteFile(fmt.Sprintf("f%03d", i), []byte("x")))
		}
		r.opts.Pool = block.NewPool(workers)
		enough, calls := errors.New("enough"), 0
		_, err := scan.Walk(context.Background(), r.opts, nil, func([]scan.Candidate) error { calls++; return enough })
		if !errors.Is(err, enough) || calls != 1 {
			t.Errorf("%d workers: error %v after %d calls", workers, err, calls)
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		_, err = scan.Walk(ctx, r.opts, nil, func([]scan.Candidate) error { cancel(enough); return nil })
		if !errors.Is(err, enough) {
			t.Errorf("%d workers: error %v, want the cause", workers, err)
		}
	}
}
