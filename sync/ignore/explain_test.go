package ignore

import (
	"io/fs"
	"testing"

	"lanyard/sync/relpath"
)

func TestARuleIsNamedByFileAndLine(t *testing.T) {
	files := map[string]string{
		".stignore":      "// ours\n!keep.tmp\n#include shared/rules\nbuild\n",
		"shared/rules":   "\n  *.tmp  \n",
		"shared/nothing": "",
	}
	m, err := parse(".stignore", func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}, platform{escape: '\\'})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		want Rule
	}{
		{"a.tmp", Rule{"shared/rules", 2, "*.tmp"}},
		{"build/x", Rule{".stignore", 4, "build"}},
		{"keep.tmp", Rule{}},
		{"plan.txt", Rule{}},
	}
	for _, test := range tests {
		got, ignored := m.Explain(relpath.MustParse(test.name))
		if got != test.want || ignored != (test.want != Rule{}) {
			t.Errorf("%s: %+v, %v; want %+v", test.name, got, ignored, test.want)
		}
		if ignored != m.Match(relpath.MustParse(test.name)).Ignored {
			t.Errorf("%s: explained and matched in different ways", test.name)
		}
	}
	if _, ignored := (*Matcher)(nil).Explain(relpath.MustParse("a")); ignored {
		t.Error("no rules leave a name alone")
	}
}
