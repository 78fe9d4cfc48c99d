package conflict

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lanyard/sync/device"
	"lanyard/sync/relpath"
)

// winner's text form is 2222222, and a loser was written at lost.
var (
	winner = device.ShortID(0xd6b5ad6b5ad6b5ad)
	lost   = time.Date(2026, 11, 21, 1, 31, 4, 999, time.UTC)
)

func TestMake(t *testing.T) {
	const tag = ".sync-conflict-20261121-013104-"
	id := winner.String()
	long := strings.Repeat("x", 251)
	tests := []struct {
		name string
		of   string
		n    int
		want string
	}{
		{"the tag stands before the extension", "a/plan.txt", 1, "a/plan" + tag + id + ".txt"},
		{"only the last dot starts the extension", "a.tar.gz", 1, "a.tar" + tag + id + ".gz"},
		{"without an extension the tag ends the name", "Makefile", 0, "Makefile" + tag + id},
		{"a dotfile is all extension", ".profile", 1, tag + id + ".profile"},
		{"a dot at the end starts no extension", "odd.", 1, "odd." + tag + id},
		{"later copies are numbered", "plan.txt", 12, "plan" + tag + id + "-12.txt"},
		{"a long stem is cut", long + ".txt", 1, long[:213] + tag + id + ".txt"},
		{"a character is never cut", strings.Repeat("ä", 125) + ".txt", 1, strings.Repeat("ä", 106) + tag + id + ".txt"},
		{"a long extension is cut as if it were stem", "CONx." + long[:250], 1, ("CONx." + long)[:217] + tag + id},
		{"the copy of a copy is named after the original", "a/plan.sync-conflict-20200101-000000-ABCDEFG.txt", 1, "a/plan" + tag + id + ".txt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Make(relpath.MustParse(tt.of), lost, winner, tt.n)
			if err != nil || got.String() != tt.want {
				t.Errorf("Make(%q, n=%d) = %q, %v; want %q", tt.of, tt.n, got, err, tt.want)
			}
		})
	}
}

func TestTheTimeIsUTCWithFourDigitsOfYear(t *testing.T) {
	tests := []struct {
		name string
		at   time.Time
		want string
	}{
		{"a local time is converted", time.Date(2026, 1, 1, 1, 0, 0, 0, time.FixedZone("", 7200)), "20251231-230000"},
		{"a year before 0 is clamped", time.Date(-5, 3, 3, 3, 3, 3, 0, time.UTC), "00000101-000000"},
		{"a year after 9999 is clamped", time.Date(20000, 3, 3, 3, 3, 3, 0, time.UTC), "99991231-235959"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Make(relpath.MustParse("f"), tt.at, winner, 1)
			if err != nil || !strings.Contains(got.String(), tt.want) {
				t.Errorf("Make at %v = %q, %v; want %s in it", tt.at, got, err, tt.want)
			}
		})
	}
}

func TestMakeRefusesTheRoot(t *testing.T) {
	if got, err := Make(relpath.Root, lost, winner, 1); err == nil {
		t.Errorf("Make(root) = %q, want an error", got)
	}
}

func TestIs(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"ours", "d/plan.sync-conflict-20261121-013104-ABCDEFG.txt", "d/plan.txt"},
		{"a numbered one", "plan.sync-conflict-20261121-013104-ABCDEFG-3.txt", "plan.txt"},
		{"one without extension", "Makefile.sync-conflict-20261121-013104-A234567", "Makefile"},
		{"a dotfile's", ".sync-conflict-20261121-013104-ABCDEFG.profile", ".profile"},
		{"old Syncthing's, without a device", "plan.sync-conflict-20161121-013104.txt", "plan.txt"},
		{"an impossible date is still one", "plan.sync-conflict-99999999-999999-ABCDEFG.txt", "plan.txt"},
		{"a mark in the extension does not hide it", "a.sync-conflict-20261121-013104-ABCDEFG.sync-conflict-x", "a.sync-conflict-x"},
		{"a nested one belongs to the outer name", "a.sync-conflict-20261121-013104-ABCDEFG.sync-conflict-20261121-013104-ABCDEFG.txt", "a.sync-conflict-20261121-013104-ABCDEFG.txt"},
		{"a plain name", "plan.txt", ""},
		{"a word after the time", "plan.sync-conflict-20261121-013104-hello.txt", ""},
		{"a short date", "plan.sync-conflict-2026112-013104-ABCDEFG.txt", ""},
		{"number one is never written", "plan.sync-conflict-20261121-013104-ABCDEFG-1.txt", ""},
		{"nothing but the tag", ".sync-conflict-20261121-013104-ABCDEFG", ""},
		{"only the last component counts", "plan.sync-conflict-20261121-013104-ABCDEFG/x", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Is(relpath.MustParse(tt.in))
			if got.String() != tt.want || ok != (tt.want != "") {
				t.Errorf("Is(%q) = %q, %v; want %q", tt.in, got, ok, tt.want)
			}
		})
	}
}

func TestParseTellsTimeDeviceAndNumber(t *testing.T) {
	c, ok := Parse(relpath.MustParse("plan.sync-conflict-20261121-013104-ABCDEFG-3.txt"))
	want := Name{relpath.MustParse("plan.txt"), lost.Truncate(time.Second), "ABCDEFG", 3}
	if !ok || c != want {
		t.Errorf("Parse = %+v, %v; want %+v", c, ok, want)
	}
}

// names draws paths whose last component is up to 255 bytes of odd text.
func names(t *rapid.T) relpath.Path {
	base := rapid.OneOf(
		rapid.StringMatching(`[a-z]{0,5}(\.[a-z]{0,4}){0,3}`),
		rapid.StringMatching(`(CON|aux|é|ä|x|\.| ){0,90}\.?[a-z]{0,120}`),
		rapid.String(),
		rapid.StringMatching(`[a-z]{0,3}\.sync-conflict-[0-9]{8}-[0-9]{6}(-[A-Z2-7]{7})?(-[0-9])?\.[a-z]{0,3}`),
	).Draw(t, "base")
	p, err := relpath.Parse("dir/" + relpath.Normal(cut(strings.ReplaceAll(base, "/", "_"), 255)))
	if err != nil {
		t.Skip(err)
	}
	return p
}

func TestEveryCopyIsRecognisedAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := names(t)
		n := rapid.IntRange(0, 2000).Draw(t, "n")
		at := time.Unix(rapid.Int64().Draw(t, "seconds"), 0)
		got, err := Make(name, at, device.ShortID(rapid.Uint64().Draw(t, "winner")), n)
		if err != nil {
			t.Fatalf("Make(%q): %v", name, err)
		}
		if got.Dir() != name.Dir() || got == name {
			t.Fatalf("Make(%q) = %q: not a new name in the same directory", name, got)
		}
		c, ok := Parse(got)
		if !ok || c.N != max(n, 1) {
			t.Fatalf("Parse(%q) = %+v, %v; want number %d", got, c, ok, n)
		}
		_, nested := Is(name)
		if room := relpath.MaxComponent - len(got.Base()); !nested && room > 0 && len(name.Base()) < 200 && c.Original != name {
			t.Fatalf("Parse(%q).Original = %q, want %q", got, c.Original, name)
		}
		again, err := Make(got, at, 0, 1)
		if err != nil || len(again.Base()) > len(got.Base()) {
			t.Fatalf("Make(%q) = %q, %v: the name of a copy's copy grew", got, again, err)
		}
	})
}

func TestACopyIsLegalWhereverItsOriginalIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := names(t)
		if !windowsLegal(name.Base()) {
			t.Skip("the original is not legal")
		}
		got, err := Make(name, lost, winner, rapid.IntRange(1, 12).Draw(t, "n"))
		if err != nil || !windowsLegal(got.Base()) {
			t.Fatalf("Make(%q) = %q, %v: not legal on Windows", name, got, err)
		}
	})
}

// windowsLegal holds the rules of Windows, the strictest platform.
func windowsLegal(base string) bool {
	if strings.ContainsAny(base, `<>:"|?*\`) || strings.HasSuffix(base, ".") || strings.HasSuffix(base, " ") {
		return false
	}
	for i := range len(base) {
		if base[i] < 0x20 {
			return false
		}
	}
	stem, _, _ := strings.Cut(strings.ToUpper(base), ".")
	switch stem {
	case "CON", "PRN", "AUX", "NUL":
		return false
	}
	return !(len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) && stem[3] >= '0' && stem[3] <= '9')
}
