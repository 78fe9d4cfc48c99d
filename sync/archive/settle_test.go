package archive

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

func (f *fixture) look(name string) *fsys.Info {
	f.t.Helper()
	info, err := f.mem.Lstat(relpath.MustParse(name))
	f.must(err)
	return &info
}

// systems are those with an exchange of two names, those with links alone, and
// those with neither.
var systems = map[string]fsys.MemOptions{
	"exchanging": {}, "linking": {NoExchange: true}, "copying": {NoExchange: true, NoLinks: true},
}

func TestAFileThatGoesIsAVersionOfTheNameItBelongsTo(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	f.write("a.txt", "mine")
	f.write("a.copy.txt", "theirs")
	f.must(f.Take(relpath.MustParse("a.copy.txt"), relpath.MustParse("a.txt"), *f.look("a.copy.txt"), now))
	f.wantFiles(map[string]string{"a.txt": "mine", ".stversions/a~20261121-013104.txt": "theirs"})
}

func TestAFileThatTakesANameLeavesWhatStoodThereAsAVersion(t *testing.T) {
	for name, o := range systems {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, o)
			f.write("a.txt", "mine")
			f.write("a.copy.txt", "theirs")
			f.must(f.Replace(relpath.MustParse("a.txt"), relpath.MustParse("a.copy.txt"), f.look("a.txt"), *f.look("a.copy.txt"), now))
			f.wantFiles(map[string]string{"a.txt": "theirs", ".stversions/a~20261121-013104.txt": "mine"})
		})
	}
}

func TestAFileThatTakesAFreeNameMovesThere(t *testing.T) {
	f := newFixture(t, fsys.MemOptions{})
	f.write("a.copy.txt", "theirs")
	f.must(f.Replace(relpath.MustParse("a.txt"), relpath.MustParse("a.copy.txt"), nil, *f.look("a.copy.txt"), now))
	f.wantFiles(map[string]string{"a.txt": "theirs"})
}

// Whoever saves either file just before, or in between, keeps what he wrote
// under the name that he gave it.
func TestAFileThatWasSavedMeanwhileStaysAsItIs(t *testing.T) {
	for act, do := range acts {
		for system, o := range systems {
			for _, edited := range []string{"a.txt", "a.copy.txt"} {
				if edited == "a.txt" && act != "replace" {
					continue // it has no part in that
				}
				t.Run(act+" "+system+" "+edited, func(t *testing.T) {
					f := newFixture(t, o)
					f.write("a.txt", "mine")
					f.write("a.copy.txt", "theirs")
					at, beside := *f.look("a.txt"), *f.look("a.copy.txt")
					f.write(edited, "saved a moment ago")
					if err := do(f, at, beside); !errors.Is(err, ErrMoved) {
						t.Errorf("error %v, want ErrMoved", err)
					}
					want := map[string]string{"a.txt": "mine", "a.copy.txt": "theirs"}
					want[edited] = "saved a moment ago"
					f.wantFiles(want)
				})
			}
		}
	}
}

// acts are the three ways of settling, on files called a.txt and a.copy.txt.
var acts = map[string]func(f *fixture, at, beside fsys.Info) error{
	"take": func(f *fixture, _, beside fsys.Info) error { return f.Take(other, name, beside, now) },
	"replace": func(f *fixture, at, beside fsys.Info) error {
		return f.Replace(name, other, &at, beside, now)
	},
	"move": func(f *fixture, _, beside fsys.Info) error {
		return f.Replace(relpath.MustParse("new.txt"), other, nil, beside, now)
	},
}

var name, other = relpath.MustParse("a.txt"), relpath.MustParse("a.copy.txt")

// settled gives a fixture with both files, durable, and what they look like.
func settled(t *testing.T, o fsys.MemOptions) (f *fixture, at, beside fsys.Info) {
	o.StrictDirSync = true
	f = newFixture(t, o)
	f.write("a.txt", "mine")
	f.write("a.copy.txt", "theirs")
	f.user.Sync()
	return f, *f.look("a.txt"), *f.look("a.copy.txt")
}

// wantContents fails unless each content stands somewhere, whole.
func (f *fixture) wantContents(when string, all ...string) {
	f.t.Helper()
	files := f.files()
	for _, content := range all {
		if !holds(files, "", content) {
			f.t.Fatalf("%s: %q is lost, the files are %v", when, content, files)
		}
	}
}

// saves are the ways in which a person's program saves a file.
var saves = map[string]func(fsys.User, string) error{
	"in place": func(u fsys.User, p string) error { return u.WriteFile(p, []byte("saved")) },
	"by a rename": func(u fsys.User, p string) error {
		return errors.Join(u.WriteFile(p+".new", []byte("saved")), u.Rename(p+".new", p))
	},
}

func TestNoSaveAtAnyMomentIsLost(t *testing.T) {
	for act, do := range acts {
		for system, o := range systems {
			for how, save := range saves {
				if act == "replace" && o.NoExchange && (o.NoLinks || how == "by a rename") {
					continue // nothing closes the gap between the last look and the rename
				}
				for _, edited := range []string{"a.txt", "a.copy.txt"} {
					for moment := range 30 {
						f, at, beside := settled(t, o)
						calls := 0
						f.mem.SetHook(func(fsys.Op) error {
							if calls++; calls == moment+1 {
								f.must(save(f.user, edited))
							}
							return nil
						})
						err := do(f, at, beside)
						f.mem.SetHook(nil)
						if calls <= moment {
							break
						}
						// Whoever saves replaces one of the two himself, whichever stands
						// there; the other one stays, and so does what he saved.
						when := fmt.Sprintf("%s, %s, %s saved %s before call %d (%v)", act, system, edited, how, moment, err)
						files := f.files()
						if !holds(files, "", "saved") || !holds(files, "", "mine") && !holds(files, "", "theirs") {
							t.Fatalf("%s: the files are %v", when, files)
						}
						if edited == "a.txt" && files["a.txt"] != "saved" {
							t.Fatalf("%s: what was saved is not under its name, the files are %v", when, files)
						}
					}
				}
			}
		}
	}
}

func TestACrashAtAnyMomentLosesNeitherVersion(t *testing.T) {
	for act, do := range acts {
		for system, o := range systems {
			for moment := range 30 {
				for seed := range uint64(3) {
					f, at, beside := settled(t, o)
					calls := 0
					f.mem.SetHook(func(fsys.Op) error {
						if calls++; calls > moment {
							return errors.New("no power")
						}
						return nil
					})
					err := do(f, at, beside)
					crashed := f.mem.Crash(rand.New(rand.NewPCG(seed, uint64(moment))))
					after := &fixture{t: t, mem: crashed, user: crashed.User()}
					after.wantContents(fmt.Sprintf("%s, %s, power cut at call %d (%v)", act, system, moment, err), "mine", "theirs")
				}
			}
		}
	}
}
