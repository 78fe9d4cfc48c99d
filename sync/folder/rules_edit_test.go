package folder

import (
	"testing"
	"time"

	"lanyard/sync/fault"
	"lanyard/sync/relpath"
)

func TestRulesAreTriedOnWhatIsKnownAndNothingIsChanged(t *testing.T) {
	inRig(t, map[string]string{"a.tmp": "12345", "b.txt": "1", "sub/c.tmp": "123"}, func(r *rig) {
		r.start()
		got, err := r.runner.TryRules(t.Context(), "*.tmp\n")
		r.must(err)
		if got.Err != nil || got.Files != 2 || got.Bytes != 8 || got.Of != 3 || got.Dirs != 0 || len(got.Names) != 2 || got.Names[0].String() != "a.tmp" {
			t.Errorf("tried: %+v", got)
		}
		got, err = r.runner.TryRules(t.Context(), "sub\n")
		r.must(err)
		if got.Files != 1 || got.Dirs != 1 {
			t.Errorf("tried: %+v", got)
		}
		got, err = r.runner.TryRules(t.Context(), "fine\n[\n")
		r.must(err)
		if fault.CodeOf(got.Err) != "rule-broken" || fault.DataOf(got.Err)["line"] != "2" {
			t.Errorf("rules that cannot be read: %v, %v", got.Err, fault.DataOf(got.Err))
		}
		if _, err := r.user.Lstat(relpath.IgnoreName); err == nil {
			t.Error("they were written")
		}
	})
}

func TestRulesAreWrittenInPlaceOfThoseThatWereShownAlone(t *testing.T) {
	inRig(t, map[string]string{"a.tmp": "12345", "b.txt": "1"}, func(r *rig) {
		r.start()
		text, token, err := r.runner.RulesText()
		r.must(err)
		if text != "" {
			t.Errorf("where there are none, they are %q", text)
		}
		done, err := r.runner.SetRules("*.tmp\n", token)
		r.must(err)
		r.must(r.scan())
		if got, _, _ := r.runner.RulesText(); !done || got != "*.tmp\n" || !r.runner.Ignored(relpath.MustParse("a.tmp")) {
			t.Errorf("written %v, they are %q", done, got)
		}
		// Somebody edits the file himself meanwhile.
		r.must(r.user.WriteFile(relpath.IgnoreName, []byte("mine\n")))
		done, err = r.runner.SetRules("theirs\n", token)
		r.must(err)
		if got, _, _ := r.runner.RulesText(); done || got != "mine\n" {
			t.Errorf("over an edit: written %v, they are %q", done, got)
		}
		_, token, err = r.runner.RulesText()
		r.must(err)
		if done, err := r.runner.SetRules("[\n", token); done || fault.CodeOf(err) != "rule-broken" {
			t.Errorf("rules that cannot be read: %v, %v", done, err)
		}
		for name := range r.user.Tree() {
			if p, err := relpath.Parse(name); err == nil && p.Base() == rulesTemp {
				t.Errorf("%s was left behind", name)
			}
		}
	})
}

// Rules that stopped the folder can be mended where they stopped it.
func TestBrokenRulesAreMended(t *testing.T) {
	inRig(t, map[string]string{"a": "1", relpath.IgnoreName: "[\n"}, func(r *rig) {
		r.start()
		r.wantStopped("rule-broken")
		text, token, err := r.runner.RulesText()
		r.must(err)
		if text != "[\n" {
			t.Errorf("they are %q", text)
		}
		done, err := r.runner.SetRules("b\n", token)
		r.must(err)
		r.later(2 * time.Minute)
		if v := r.runner.View(); !done || v.Err != nil {
			t.Errorf("mended %v, and the folder has %v", done, v.Err)
		}
	})
}
