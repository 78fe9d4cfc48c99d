package index

import (
	"errors"
	"reflect"
	"testing"

	"lanyard/sync/relpath"
)

func TestLongListsComeBackAsTheyWereGiven(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(t, dir, SQLiteOptions{})
	f := openTestFolder(t, s)
	names := map[string]int{"a": inlineBlocks + 1, "b": pieceBlocks, "c": pieceBlocks + 1, "d": 2 * pieceBlocks, "e": 3*pieceBlocks - 1}
	for name, n := range names {
		r := testRecord(name, n, uint64(n))
		for i := range r.Blocks {
			r.Blocks[i].Hash[2] = byte(i >> 8)
		}
		again := r
		again.Name = relpath.MustParse(name + " again") // the same list
		update(t, f, r, again)
		for _, want := range []Record{r, again} {
			got, ok, err := f.Local(want.Name)
			want.Sequence = got.Sequence
			if !ok || err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("the record of %d blocks is %v, %v; it has another list: %v", n, ok, err, !reflect.DeepEqual(got.Blocks, want.Blocks))
			}
		}
	}
	if err := f.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestALongListThatWentBadIsFound(t *testing.T) {
	for _, what := range []string{
		`UPDATE blist SET data = substr(data, 1, length(data)-1) || x'77'`,
		`UPDATE blist SET data = x'77' || substr(data, 2)`,
		`UPDATE blist SET data = substr(data, 1, length(data)-32)`,
		`UPDATE blist SET data = 7`,
		`DELETE FROM blist`,
	} {
		for _, n := range []int{inlineBlocks + 1, pieceBlocks + 1} {
			f := openTestFolder(t, openTestStore(t, t.TempDir(), SQLiteOptions{}))
			update(t, f, testRecord("a", n, 1))
			if err := f.w.exec(what); err != nil {
				t.Fatal(err)
			}
			if _, _, err := f.Local(relpath.MustParse("a")); !errors.Is(err, errDamaged) {
				t.Errorf("%d blocks, %s: reading gives %v, want that the index is damaged", n, what, err)
			}
		}
	}
}
