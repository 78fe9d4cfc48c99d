package ignore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/relpath"
)

// testCase is one case of testdata/cases.txt.
type testCase struct {
	name     string
	files    map[string]string
	platform platform
	verdicts []string // "S name" or "error file:line"
}

func (c *testCase) open(name string) ([]byte, error) {
	text, ok := c.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

var platforms = map[string]platform{
	"on windows": {foldCase: true, escape: '|', backslash: true},
	"on macos":   {foldCase: true, escape: '\\'},
}

func readCases(t *testing.T) []*testCase {
	t.Helper()
	text, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	var cases []*testCase
	for _, part := range strings.Split(string(text), "\n== ")[1:] {
		cases = append(cases, readCase(t, part))
	}
	return cases
}

func readCase(t *testing.T, part string) *testCase {
	t.Helper()
	head, tail, ok := strings.Cut(part, "--\n")
	if !ok {
		t.Fatalf("case without verdicts: %s", part)
	}
	name, rules, _ := strings.Cut(head, "\n")
	c := &testCase{name: name, files: map[string]string{}, platform: platform{escape: '\\'}}
	for i, file := range strings.Split("\n"+rules, "\n@@ ") {
		fileName := ".stignore"
		if i > 0 {
			fileName, file, _ = strings.Cut(file, "\n")
		}
		c.files[fileName] = strings.TrimPrefix(file, "\n")
	}
	for line := range strings.Lines(tail) {
		line = strings.TrimSuffix(line, "\n")
		if p, ok := platforms[line]; ok {
			c.platform = p
		} else if line != "" {
			c.verdicts = append(c.verdicts, line)
		}
	}
	return c
}

// verdict writes what a Matcher says of one name as testdata/cases.txt does.
func verdict(r Result) string {
	switch {
	case !r.Ignored:
		return "-"
	case r.Deletable:
		return "D"
	case r.CanSkip:
		return "S"
	}
	return "I"
}

func TestRules(t *testing.T) {
	for _, c := range readCases(t) {
		t.Run(c.name, func(t *testing.T) {
			m, err := parse(".stignore", c.open, c.platform)
			for _, line := range c.verdicts {
				want, name, _ := strings.Cut(line, " ")
				if want == "error" {
					var pe *ParseError
					if !errors.As(err, &pe) || fmt.Sprintf("%s:%d", pe.File, pe.Line) != name {
						t.Errorf("got error %v, want one at %s", err, name)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				// match and not Match: one case names what is no relpath.Path.
				if got := verdict(m.match(name)); got != want {
					t.Errorf("%q: got %s, want %s", name, got, want)
				}
			}
		})
	}
}

// rules parses text as the only file of rules.
func rules(t testing.TB, text string) *Matcher {
	t.Helper()
	m, err := parse(".stignore", func(string) ([]byte, error) { return []byte(text), nil }, platform{escape: '\\'})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWithoutAFileNothingIsIgnored(t *testing.T) {
	m, err := Parse(".stignore", func(string) ([]byte, error) { return nil, fs.ErrNotExist })
	if err != nil || m.Match(relpath.MustParse("x")).Ignored || m.Lines() != nil {
		t.Errorf("Parse of nothing = %+v, %v; want no rules", m, err)
	}
}

func TestAFileThatCannotBeReadIsNotAFileThatIsAbsent(t *testing.T) {
	_, err := Parse(".stignore", func(string) ([]byte, error) { return nil, fs.ErrPermission })
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got error %v, want it to wrap %v", err, fs.ErrPermission)
	}
	open := func(name string) ([]byte, error) {
		if name == ".stignore" {
			return []byte("#include a"), nil
		}
		return nil, fs.ErrPermission
	}
	if _, err := Parse(".stignore", open); !errors.Is(err, ErrInclude) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got error %v, want it to wrap %v and %v", err, ErrInclude, fs.ErrPermission)
	}
}

func TestAMissingIncludeIsNotAMissingIgnoreFile(t *testing.T) {
	c := testCase{files: map[string]string{".stignore": "#include a"}}
	if _, err := Parse(".stignore", c.open); errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrInclude) {
		t.Errorf("got error %v, want one of including that is not fs.ErrNotExist", err)
	}
}

func TestTextThatIsNotUTF8IsRefused(t *testing.T) {
	c := testCase{files: map[string]string{".stignore": "ok\n\xff"}}
	if _, err := Parse(".stignore", c.open); !errors.Is(err, errNotUTF8) {
		t.Errorf("got error %v, want %v", err, errNotUTF8)
	}
}

func TestTheRootIsNeverIgnored(t *testing.T) {
	if r := rules(t, "*\n**").Match(relpath.Root); r != (Result{}) {
		t.Errorf("Match(root) = %+v, want nothing", r)
	}
}

func TestANilMatcherHasNoRules(t *testing.T) {
	var m *Matcher
	if m.Match(relpath.MustParse("x")).Ignored || m.Lines() != nil || m.Hash() != rules(t, "// nothing").Hash() {
		t.Error("a nil Matcher has rules")
	}
}

func TestLinesAreThoseThatWereWritten(t *testing.T) {
	got := rules(t, "\ufeff// all\r\n  foo \r\n\r\nfoo\n").Lines()
	if diff := cmp.Diff([]string{"// all", "  foo ", "", "foo"}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestTheHashIsThatOfTheEffectiveRules(t *testing.T) {
	base := rules(t, "foo\n(?i)(?d)bar").Hash()
	same := []string{"foo\n// x\n\n(?i)(?d)bar\nfoo", " foo \n(?d)(?i)BAR"}
	for _, text := range same {
		if got := rules(t, text).Hash(); got != base {
			t.Errorf("rules %q have another hash than the same rules written otherwise", text)
		}
	}
	other := []string{"", "foo", "(?i)(?d)bar\nfoo", "foo\n(?i)bar", "!foo\n(?i)(?d)bar", "/foo\n(?i)(?d)bar"}
	for _, text := range other {
		if got := rules(t, text).Hash(); got == base {
			t.Errorf("rules %q have the hash of other rules", text)
		}
	}
}

func TestNoRulesCostNoAllocation(t *testing.T) {
	m, p := rules(t, ""), relpath.MustParse("a/b/c")
	if n := testing.AllocsPerRun(100, func() { m.Match(p) }); n != 0 {
		t.Errorf("Match without rules allocates %v times, want 0", n)
	}
}

// FuzzParse wants that no rules and no name make the matcher panic or run
// away, and that what can be skipped is ignored.
func FuzzParse(f *testing.F) {
	f.Add("foo\n!bar\n(?d)*.tmp", "a/foo")
	f.Add("#escape=^\n^*{a,b}[!x-z]", "dir/x")
	f.Add("#include x\n**/a**/b/", "é")
	f.Add("{*,**,?}\n[", "a/b")
	f.Fuzz(func(t *testing.T, text, name string) {
		p, err := relpath.Parse(name)
		if err != nil || len(text) > 4096 || len(name) > 512 {
			t.Skip()
		}
		open := func(string) ([]byte, error) { return []byte(text), nil }
		for _, on := range []platform{{escape: '\\'}, platforms["on windows"], platforms["on macos"]} {
			m, err := parse(".stignore", open, on)
			if err != nil {
				continue
			}
			if r := m.Match(p); (r.CanSkip || r.Deletable) && !r.Ignored {
				t.Fatalf("rules %q say %+v of %q", text, r, name)
			}
		}
	})
}

func benchmarkMatch(b *testing.B, m *Matcher) {
	names := make([]relpath.Path, 10_000)
	for i := range names {
		names[i] = relpath.MustParse(fmt.Sprintf("projects/p%d/src/module%d/file%d.go", i%50, i%300, i))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range names {
			m.Match(p)
		}
	}
}

// hundredRules are of the shapes that people write.
func hundredRules() string {
	var lines []string
	for i := range 20 {
		lines = append(lines,
			fmt.Sprintf("build%d", i), fmt.Sprintf("*.tm%d", i), fmt.Sprintf("/top%d/sub", i),
			fmt.Sprintf("(?d)cache%d/", i), fmt.Sprintf("~*.part%d", i))
	}
	return strings.Join(lines, "\n")
}

func BenchmarkMatch100PatternsOn10000Names(b *testing.B) { benchmarkMatch(b, rules(b, hundredRules())) }
func BenchmarkMatchNoPatternsOn10000Names(b *testing.B)  { benchmarkMatch(b, nil) }
