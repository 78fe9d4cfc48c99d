package status

import (
	"math/rand/v2"
	"slices"
	"testing"

	"lanyard/sync/fault"
)

// every calls f with all combinations of facts; numbers are none, one, many.
func every(f func(Facts)) {
	for bits := range 32 {
		bit := func(n int) bool { return bits>>n&1 == 1 }
		for _, need := range []int64{0, 1, 1000} {
			for _, held := range []int64{0, 1, 1000} {
				for _, failed := range []int64{0, 1, 1000} {
					f(Facts{
						Paused: bit(0), Stopped: bit(1), Known: bit(2), Settled: bit(3), Pulling: bit(4),
						Need: need, Held: held, Failed: failed,
					})
				}
			}
		}
	}
}

func TestInSyncIsSaidOnlyOfWhatIsKnownWholeAndAtRest(t *testing.T) {
	said := 0
	every(func(f Facts) {
		doubt := f.Paused || f.Stopped || !f.Known || !f.Settled || f.Pulling
		lacks := f.Need > 0 || f.Held > 0 || f.Failed > 0
		if got := f.InSync(); got != (!doubt && !lacks) {
			t.Errorf("%+v: in sync is %v", f, got)
		}
		if f.InSync() {
			said++
		}
	})
	if said != 1 {
		t.Errorf("in sync was said of %d combinations, want the only one without any doubt", said)
	}
}

func TestAStateNamesTheStrongestReasonNotToBeIdle(t *testing.T) {
	every(func(f Facts) {
		want := Idle
		switch {
		case f.Paused:
			want = Paused
		case f.Stopped:
			want = Stopped
		case f.Pulling:
			want = Syncing
		case !f.Known || !f.Settled:
			want = Scanning
		}
		if got := f.State(); got != want {
			t.Errorf("%+v: %s, want %s", f, got, want)
		}
	})
}

func TestProblemsAreShownWorstFirstAndCausesBeforeTheirEffects(t *testing.T) {
	var all []Problem
	for _, c := range Conditions() {
		all = append(all, Problem{Code: c.Code})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortFunc(all, Before)
	severities := []Severity{Stop, Ask, Some, Wait}
	for i := 1; i < len(all); i++ {
		a, _ := Find(all[i-1].Code)
		b, _ := Find(all[i].Code)
		if slices.Index(severities, a.Severity) > slices.Index(severities, b.Severity) {
			t.Errorf("%s (%s) comes before %s (%s)", a.Code, a.Severity, b.Code, b.Severity)
		}
	}
	for _, pair := range [][2]fault.Code{
		{"folder-missing", "disk-full"},
		{"folder-missing", "folder-emptied"},
		{"device-out-of-reach", "nobody-has-it"},
		{"rule-file-missing", "rule-broken"},
	} {
		if Before(Problem{Code: pair[0]}, Problem{Code: pair[1]}) >= 0 {
			t.Errorf("%s is shown after %s", pair[0], pair[1])
		}
	}
	if Before(Problem{Code: "nobody-knows-this"}, all[0]) >= 0 {
		t.Error("a problem that the table does not have is hidden behind the others")
	}
}

func TestNoCodeStandsTwiceInTheTable(t *testing.T) {
	seen := map[fault.Code]bool{}
	for _, c := range Conditions() {
		if seen[c.Code] || c.Raised == "" || c.Where == "" {
			t.Errorf("%+v stands there twice, or does not say when it is raised and where", c)
		}
		seen[c.Code] = true
	}
}
