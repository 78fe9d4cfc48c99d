package scan_test

import (
	"testing"

	"lanyard/sync/fsys"
)

// countListings counts how often directories are listed from now on.
func (r *rig) countListings() *int {
	n := new(int)
	r.disk.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpReadDir {
			*n++
		}
		return nil
	})
	return n
}

func TestNamesThatGoTogetherAreProvedAbsentByOneListing(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	for _, name := range []string{"d/a", "d/b", "d/c", "d/kept"} {
		r.write(name, name)
	}
	r.scan()
	for _, name := range []string{"d/a", "d/b", "d/c"} {
		r.must(r.user.Remove(name))
	}
	listings := r.countListings()
	r.expect("three files of a directory go", "d/c gone, d/b gone, d/a gone", "d/a", "d/b", "d/c")
	if *listings != 1 {
		t.Errorf("%d listings, want 1", *listings)
	}
}

func TestANameThatGoesAfterTheListingIsListedAgain(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.write("d/a", "a")
	r.write("d/b", "b")
	r.scan()
	r.must(r.user.Remove("d/a"))
	listings := 0
	r.disk.SetHook(func(op fsys.Op) error {
		if op.Name == fsys.OpReadDir {
			listings++
		}
		if op.Name == fsys.OpLstat && op.Paths[0] == "d/b" && listings == 1 {
			return r.user.Remove("d/b")
		}
		return nil
	})
	r.expect("two files go, one of them later", "d/b gone, d/a gone", "d/a", "d/b")
	if listings != 2 {
		t.Errorf("%d listings, want 2", listings)
	}
}

func TestOfTheNamesAskedForThoseAsRecordedAreLeftOut(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.opts.SameRules = true
	for _, name := range []string{"d/a", "d/b", "d/c"} {
		r.write(name, name)
	}
	r.scan()
	if res := r.expect("nothing changed", "", "d/a", "d/b", "d/c"); res.Seen != 3 {
		t.Errorf("%d names seen, want 3", res.Seen)
	}
	r.write("d/b", "new")
	r.must(r.user.Remove("d/c"))
	r.expect("one file changed and one went", "d/b, d/c gone", "d/a", "d/b", "d/c")
}

func TestOfTheNamesAskedForThoseRecordedAsGoneAreLeftOut(t *testing.T) {
	r := newRig(t, fsys.MemOptions{})
	r.opts.SameRules = true
	for _, name := range []string{"d/a", "d/b", "d/kept"} {
		r.write(name, name)
	}
	r.scan()
	r.must(r.user.Remove("d/a"))
	r.must(r.user.Remove("d/b"))
	r.expect("two files go", "d/b gone, d/a gone", "d/a", "d/b")
	listings := r.countListings()
	r.expect("they are still gone", "", "d/a", "d/b")
	if *listings != 0 {
		t.Errorf("%d listings, want none", *listings)
	}
	r.write("d/b", "again")
	r.expect("one is back", "d/b", "d/a", "d/b")
}
