//go:build unix

package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// parted gives two nodes that had a file in common and lost each other: theirs
// is stopped, ours runs. lower makes our short ID the smaller one.
func parted(t *testing.T, d direction, lower bool) (ours, theirs node) {
	t.Helper()
	theirs = newSyncthing(t, "theirs")
	ours = newOurs(t, "ours")
	for lower != (numberOrder(ours.ID()) < numberOrder(theirs.ID())) {
		ours = newOurs(t, "ours")
	}
	write(t, theirs.Dir(), "doc.txt", []byte("the text before"))
	connect(t, ours, theirs, d)
	converge(t, patience, ours, theirs)
	theirs.Stop(t)
	return ours, theirs
}

// meet brings parted nodes together again.
func meet(t *testing.T, ours, theirs node) {
	t.Helper()
	ours.Scan(t)
	theirs.Start(t)
	theirs.Scan(t)
	connected(t, ours, theirs)
}

// numberOrder compares IDs as numbers: base32 puts its digits after its letters.
func numberOrder(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= '2' && r <= '7' {
			return r - '2' + '['
		}
		return r
	}, id)
}

func TestInterop34ConcurrentEditsKeepBothAndAgreeOnTheWinner(t *testing.T) {
	if !needSyncthing(t) {
		return
	}
	now := time.Now().Truncate(time.Second)
	tests := []struct {
		name         string
		ours, theirs time.Time
		lower        bool
		oursWins     bool
	}{
		{"ours is newer", now, now.Add(-time.Hour), true, true},
		{"theirs is newer", now.Add(-time.Hour), now, true, false},
		{"same time, our ID is smaller", now, now, true, true},
		{"same time, our ID is larger", now, now, false, false},
	}
	t.Parallel()
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := parted(t, directions[i%2], test.lower)
			edit := map[bool]struct {
				node node
				text string
				at   time.Time
			}{
				true:  {ours, "what we wrote", test.ours},
				false: {theirs, "what they wrote", test.theirs},
			}
			for _, e := range edit {
				write(t, e.node.Dir(), "doc.txt", []byte(e.text))
				dated(t, e.node.Dir(), "doc.txt", e.at)
			}
			meet(t, ours, theirs)
			all := converge(t, patience, ours, theirs)

			winner, loser := edit[test.oursWins], edit[!test.oursWins]
			want := regexp.MustCompile(`^doc\.sync-conflict-\d{8}-\d{6}-` + winner.node.ID()[:7] + `\.txt$`)
			copies := all.names("file", isCopy)
			if len(copies) != 1 || !want.MatchString(copies[0]) {
				t.Fatalf("copies %q, want one that fits %s", copies, want)
			}
			for name, text := range map[string]string{"doc.txt": winner.text, copies[0]: loser.text} {
				if got, err := os.ReadFile(filepath.Join(ours.Dir(), name)); err != nil || string(got) != text {
					t.Errorf("%s holds %q (%v), want %q", name, got, err, text)
				}
			}
		})
	}
}

func isCopy(name string) bool { return strings.Contains(name, ".sync-conflict-") }

func TestInterop35AnEditIsNeverLostToADelete(t *testing.T) {
	if !needSyncthing(t) {
		return
	}
	tests := []struct {
		name        string
		oursDeletes bool
		age         time.Duration // how much older the edit is than the delete
	}{
		{"we delete, then they edit", true, -time.Hour},
		{"they edit, then we delete", true, time.Hour},
		{"they delete, then we edit", false, -time.Hour},
		{"we edit, then they delete", false, time.Hour},
	}
	t.Parallel()
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := parted(t, directions[i%2], true)
			deleter, editor := ours, theirs
			if !test.oursDeletes {
				deleter, editor = theirs, ours
			}
			edited := []byte("an edit that took all day")
			must(t, os.Remove(filepath.Join(deleter.Dir(), "doc.txt")))
			write(t, editor.Dir(), "doc.txt", edited)
			dated(t, editor.Dir(), "doc.txt", time.Now().Add(-test.age))
			meet(t, ours, theirs)
			exchange(t, ours, theirs)
			if where := holding(t, editor.Dir(), edited); where == "" {
				t.Errorf("the edit is nowhere on the device where it was made")
			}
			if test.age < 0 {
				eventually(t, patience, "the newer edit is back on the other side", func() error {
					if holding(t, deleter.Dir(), edited) == "" {
						return fmt.Errorf("the edit is not in %s", deleter.Dir())
					}
					return nil
				})
			}
			t.Logf("outcome: deleting side %q, editing side %q", holding(t, deleter.Dir(), edited), holding(t, editor.Dir(), edited))
		})
	}
}

// exchange sends a file each way: what was to be said before was said then.
func exchange(t *testing.T, nodes ...node) {
	t.Helper()
	for i, n := range nodes {
		write(t, n.Dir(), fmt.Sprintf("token %d", i), []byte("x"))
		n.Scan(t)
	}
	eventually(t, patience, "exchange", func() error {
		for _, n := range nodes {
			for i := range nodes {
				if _, err := os.Stat(filepath.Join(n.Dir(), fmt.Sprintf("token %d", i))); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// holding gives the name in a directory under which a content stands, "" for
// none.
func holding(t *testing.T, dir string, content []byte) string {
	t.Helper()
	all, err := readTree(dir)
	must(t, err)
	for _, name := range all.names("file", func(string) bool { return true }) {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err == nil && bytes.Equal(got, content) {
			return name
		}
	}
	return ""
}

func TestInterop36TheSameEditOnBothSidesIsNoConflict(t *testing.T) {
	if !needSyncthing(t) {
		return
	}
	t.Parallel()
	for _, d := range directions {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := parted(t, d, true)
			for i, n := range []node{ours, theirs} {
				write(t, n.Dir(), "doc.txt", []byte("both had the same idea"))
				dated(t, n.Dir(), "doc.txt", time.Now().Add(time.Duration(i)*time.Minute))
			}
			meet(t, ours, theirs)
			if copies := converge(t, patience, ours, theirs).names("", isCopy); len(copies) != 0 {
				t.Errorf("copies %q, want none", copies)
			}
		})
	}
}
