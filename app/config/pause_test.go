package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAPauseThatEndsByItself(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	c := Config{Folders: []Folder{{ID: "free"}, {ID: "person's", Paused: true}, {ID: "soon", Paused: true, PausedUntil: in(time.Minute)}}}
	if next := c.NextResume(); next != in(time.Minute) {
		t.Errorf("the first pause ends at %v", next)
	}
	paused := c.WithAllPaused(in(time.Hour))
	want := []Folder{{ID: "free", Paused: true, PausedUntil: in(time.Hour)}, {ID: "person's", Paused: true}, {ID: "soon", Paused: true, PausedUntil: in(time.Hour)}}
	if diff := cmp.Diff(want, paused.Folders); diff != "" {
		t.Errorf("paused for an hour (-want +got):\n%s", diff)
	}
	if c.Folders[0].Paused {
		t.Error("the configuration before is another one now")
	}
	if diff := cmp.Diff(want, paused.WithEndedPauses(in(time.Hour-1)).Folders); diff != "" {
		t.Errorf("before the end (-want +got):\n%s", diff)
	}
	over := paused.WithEndedPauses(in(time.Hour))
	if diff := cmp.Diff([]Folder{{ID: "free"}, {ID: "person's", Paused: true}, {ID: "soon"}}, over.Folders); diff != "" {
		t.Errorf("at the end (-want +got):\n%s", diff)
	}
	if next := over.NextResume(); !next.IsZero() {
		t.Errorf("another pause ends at %v", next)
	}
	// Without an end all of them wait for a person, who resumes all.
	forever := paused.WithAllPaused(time.Time{})
	if next := forever.NextResume(); !next.IsZero() {
		t.Errorf("paused without an end, it ends at %v", next)
	}
	if diff := cmp.Diff([]Folder{{ID: "free"}, {ID: "person's"}, {ID: "soon"}}, forever.WithAllResumed().Folders); diff != "" {
		t.Errorf("resumed (-want +got):\n%s", diff)
	}
}
