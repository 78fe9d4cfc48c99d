package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lanyard/sync/relpath"
)

func nothing(relpath.Path) bool { return false }

func TestABatchFoldsWhatHappenedToOneName(t *testing.T) {
	tests := []struct {
		name    string
		actions []action
		want    Event
	}{
		{"made", []action{created}, Event{}},
		{"renamed into place", []action{placed}, Event{Settled: true}},
		{"renamed into place, then written", []action{placed, written}, Event{}},
		{"renamed into place, then given another mode", []action{placed, touched}, Event{Settled: true}},
		{"removed", []action{written, removed}, Event{Removed: true}},
		{"removed, with a last word about its links", []action{removed, touched}, Event{Removed: true}},
		{"removed and made anew", []action{removed, created}, Event{}},
		{"saved by way of a temporary file", []action{removed, placed, written, placed}, Event{Settled: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, at := newBatch(), time.Unix(0, 0)
			for i, a := range tt.actions {
				b.add(relpath.MustParse("f"), a, at.Add(time.Duration(i)))
			}
			tt.want.Path, tt.want.Time = relpath.MustParse("f"), at.Add(time.Duration(len(tt.actions)-1))
			got, _ := b.take(nothing)
			if diff := cmp.Diff(Change{Events: []Event{tt.want}}, got, cmpopts.EquateComparable(relpath.Path{})); diff != "" {
				t.Errorf("change (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTooManyNamesBecomeTheirDirectories(t *testing.T) {
	b := newBatch()
	for i := range maxNames + 2 {
		b.add(relpath.MustParse(fmt.Sprintf("d%d/%d", i%2, i)), created, time.Time{})
	}
	got, _ := b.take(nothing)
	want := Change{Subtrees: []relpath.Path{relpath.MustParse("d0"), relpath.MustParse("d1")}}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(relpath.Path{})); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
}

func TestNamesThatWentAreKnownByTheirDirectoriesWhenTheyAreTooMany(t *testing.T) {
	b := newBatch()
	for i := range maxNames + 2 {
		what := created
		if i%2 == 0 {
			what = removed
		}
		b.add(relpath.MustParse(fmt.Sprintf("d%d/%d", i%2, i)), what, time.Time{})
	}
	b.add(relpath.MustParse("d1/late"), removed, time.Time{})
	got, _ := b.take(nothing)
	dirs := []relpath.Path{relpath.MustParse("d0"), relpath.MustParse("d1")}
	if diff := cmp.Diff(Change{Subtrees: dirs, Gone: dirs}, got, cmpopts.EquateComparable(relpath.Path{})); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
	b.add(relpath.MustParse("x"), created, time.Time{})
	if got, _ := b.take(nothing); len(got.Gone) > 0 {
		t.Errorf("what went is told twice: %v", got.Gone)
	}
}

func TestTooManyDirectoriesBecomeEverything(t *testing.T) {
	b := newBatch()
	for i := range maxSubtrees + 1 {
		b.addSubtree(relpath.MustParse(fmt.Sprint(i)))
	}
	b.add(relpath.MustParse("x"), created, time.Time{})
	if got, _ := b.take(nothing); !cmp.Equal(got, Change{All: true}) {
		t.Errorf("change %+v, want everything", got)
	}
}

func TestWhatIsSkippedIsNoChange(t *testing.T) {
	b := newBatch()
	b.add(relpath.MustParse("x"), created, time.Time{})
	if got, ok := b.take(func(relpath.Path) bool { return true }); ok {
		t.Errorf("take = %+v, want nothing", got)
	}
}
