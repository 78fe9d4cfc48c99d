package plan_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"lanyard/sync/plan"
)

func TestTheBrakeHoldsFromItsLimitOn(t *testing.T) {
	b := plan.Brake{}.WithDefaults()
	tests := []struct {
		name                 string
		waiting, done, files int64
		holds                bool
	}{
		{"nothing is to go", 0, 60, 60, false},
		{"50 files of any folder may go", 50, 0, 50, false},
		{"51 of a small folder are held", 51, 0, 100, true},
		{"a quarter of a large folder may go", 2500, 0, 10_000, false},
		{"one more is held", 2501, 0, 10_000, true},
		{"what went just now counts", 20, 31, 100, true},
		{"the folder is as large as it was before they went", 10, 2490, 7510, false},
		{"and not larger", 11, 2490, 7510, true},
	}
	for _, tt := range tests {
		d := plan.Deletions{Waiting: tt.waiting, Done: tt.done, Files: tt.files}
		if got := b.Holds(d); got != tt.holds {
			t.Errorf("%s: %+v is held: %v", tt.name, d, got)
		}
	}
}

// However deletions are cut into pieces, no more than the limit go within one
// window, and what may go at once is never held.
func TestNoMoreThanTheLimitGoesInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := plan.Brake{}.WithDefaults()
		files := rapid.Int64Range(0, 100_000).Draw(t, "files")
		d := plan.Deletions{Files: files}
		limit := b.Allowed(d)
		for range rapid.IntRange(1, 50).Draw(t, "pieces") {
			d.Waiting = rapid.Int64Range(0, max(d.Files, 1)).Draw(t, "waiting")
			holds := b.Holds(d)
			if b.Few(d) && holds {
				t.Fatalf("%+v is few, and held", d)
			}
			if holds != (d.Waiting > 0 && d.Waiting > b.Room(d)) {
				t.Fatalf("%+v is held: %v, with room for %d", d, holds, b.Room(d))
			}
			if !holds && d.Waiting <= d.Files {
				d.Done += d.Waiting
				d.Files -= d.Waiting
			}
			if d.Done > limit {
				t.Fatalf("%d of %d files went, %d may", d.Done, files, limit)
			}
		}
	})
}

func TestArrivalsWaitUntilNoMoreCome(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var a plan.Arrivals
	for _, step := range []struct {
		at      time.Duration
		waiting int64
		want    time.Duration
	}{
		{0, 100, time.Second},
		{400 * time.Millisecond, 200, time.Second},
		{600 * time.Millisecond, 200, 800 * time.Millisecond},
		{1300 * time.Millisecond, 150, 100 * time.Millisecond},
		{1400 * time.Millisecond, 150, 0},
		{1500 * time.Millisecond, 0, 0},
		{2 * time.Second, 10, time.Second},
		{11900 * time.Millisecond, 20, time.Second},
		{12 * time.Second, 30, 0},
	} {
		if got := a.Wait(start.Add(step.at), step.waiting); got != step.want {
			t.Errorf("at %v with %d: waits %v, want %v", step.at, step.waiting, got, step.want)
		}
	}
}

func TestAClockThatGoesBackDoesNotKeepArrivalsWaiting(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var a plan.Arrivals
	a.Wait(start, 100)
	if got := a.Wait(start.Add(-time.Hour), 100); got > time.Second {
		t.Errorf("waits %v", got)
	}
}
