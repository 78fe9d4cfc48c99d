package folder

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/bep"
	"lanyard/sync/fsys"
	"lanyard/sync/relpath"
)

const copyName = "plan.sync-conflict-20261121-013104-ABCDEFG.txt"

var copied = relpath.MustParse(copyName)

// contentsOf gives the content of each file, those of the store under "kept/".
func (r *rig) contentsOf() map[string]string {
	all := map[string]string{}
	for name, node := range r.user.Tree() {
		if node.Kind != fsys.Regular || strings.HasPrefix(name, ".stfolder") {
			continue
		}
		if rest, ok := strings.CutPrefix(name, ".stversions/"); ok {
			name = "kept/" + rest[:strings.IndexByte(rest, '~')]
		}
		all[name] = string(node.Content)
	}
	return all
}

func TestOneOfTwoVersionsIsKeptAndTheOtherIsAnOldVersion(t *testing.T) {
	tests := []struct {
		name  string
		keep  Side
		files map[string]string
		want  map[string]string
	}{
		{"the one that has the name", TheNamed, map[string]string{"plan.txt": "mine", copyName: "theirs"}, map[string]string{"plan.txt": "mine", "kept/plan": "theirs"}},
		{"the one beside it", TheBeside, map[string]string{"plan.txt": "mine", copyName: "theirs"}, map[string]string{"plan.txt": "theirs", "kept/plan": "mine"}},
		{"both", TheTwo, map[string]string{"plan.txt": "mine", copyName: "theirs"}, map[string]string{"plan.txt": "mine", "plan (2).txt": "theirs"}},
		{"both, where that name is taken", TheTwo, map[string]string{"plan.txt": "mine", "plan (2).txt": "x", copyName: "theirs"}, map[string]string{"plan.txt": "mine", "plan (2).txt": "x", "plan (3).txt": "theirs"}},
		{"the one beside it, the name being deleted", TheBeside, map[string]string{copyName: "theirs"}, map[string]string{"plan.txt": "theirs"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inRig(t, tt.files, func(r *rig) {
				r.start()
				p, ok, err := r.runner.PairOf(copied)
				r.must(err)
				if !ok {
					t.Fatal("there are no two versions")
				}
				changed, err := r.runner.Settle(copied, tt.keep, p.Token())
				r.must(err)
				r.wantContents(tt.want)
				r.must(r.scan())
				for _, name := range changed {
					rec, ok, err := r.index.Local(name)
					r.must(err)
					if _, there := tt.want[name.String()]; there != (ok && !rec.Deleted) {
						t.Errorf("%s stands there: %v, and the index says otherwise", name, there)
					}
				}
			})
		})
	}
}

func (r *rig) wantContents(want map[string]string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.contentsOf()); diff != "" {
		r.t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestADecisionOnVersionsThatAreOthersNowDoesNothing(t *testing.T) {
	files := map[string]string{"plan.txt": "mine", copyName: "theirs"}
	for _, edited := range []string{"plan.txt", copyName} {
		for _, scanned := range []bool{false, true} {
			for _, keep := range []Side{TheNamed, TheBeside, TheTwo} {
				inRig(t, files, func(r *rig) {
					r.start()
					p, _, err := r.runner.PairOf(copied)
					r.must(err)
					r.must(r.user.WriteFile(edited, []byte("saved since")))
					if scanned {
						r.must(r.scan())
					}
					_, err = r.runner.Settle(copied, keep, p.Token())
					if !errors.Is(err, ErrMoved) {
						t.Errorf("%s saved, scanned %v, side %d: error %v, want ErrMoved", edited, scanned, keep, err)
					}
					want := map[string]string{"plan.txt": "mine", copyName: "theirs"}
					want[edited] = "saved since"
					r.wantContents(want)
				})
			}
		}
	}
}

func TestNothingIsSettledInAFolderWhoseMarkerIsGone(t *testing.T) {
	inRig(t, map[string]string{"plan.txt": "mine", copyName: "theirs"}, func(r *rig) {
		r.start()
		r.must(r.user.Remove(Marker(folderID).String()))
		if _, err := r.runner.Settle(copied, TheNamed, ""); err == nil {
			t.Error("it was settled")
		}
		if got := r.contentsOf(); got[copyName] != "theirs" {
			t.Errorf("the files are %v", got)
		}
	})
}

func TestADeviceThatOnlyReceivesSettlesNothing(t *testing.T) {
	inRig(t, map[string]string{"plan.txt": "mine", copyName: "theirs"}, func(r *rig) {
		r.options.Type = bep.ReceiveOnly
		r.runner = New(r.options)
		r.start()
		if _, err := r.runner.Settle(copied, TheNamed, ""); err == nil {
			t.Error("it was settled")
		}
	})
}
