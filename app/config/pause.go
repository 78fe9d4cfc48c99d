package config

import (
	"slices"
	"time"
)

// WithAllPaused pauses every folder that is not: until a time, or, where that is
// zero, until a person resumes it. A folder whose pause would end by itself gets
// the new end; one that a person paused without an end keeps that.
func (c Config) WithAllPaused(until time.Time) Config {
	until = until.Round(0) // by the clock on the wall: it outlives this process
	return c.withFolders(func(f *Folder) {
		if !f.Paused || !f.PausedUntil.IsZero() {
			f.Paused, f.PausedUntil = true, until
		}
	})
}

// WithAllResumed resumes every folder.
func (c Config) WithAllResumed() Config {
	return c.withFolders(func(f *Folder) { f.Paused, f.PausedUntil = false, time.Time{} })
}

// NextResume gives the first end of a pause that ends by itself, zero where none
// does.
func (c Config) NextResume() time.Time {
	var next time.Time
	for _, f := range c.Folders {
		if f.Paused && !f.PausedUntil.IsZero() && (next.IsZero() || f.PausedUntil.Before(next)) {
			next = f.PausedUntil
		}
	}
	return next
}

// WithEndedPauses resumes the folders whose pause is over at the time now.
func (c Config) WithEndedPauses(now time.Time) Config {
	return c.withFolders(func(f *Folder) {
		if f.Paused && !f.PausedUntil.IsZero() && !now.Before(f.PausedUntil) {
			f.Paused, f.PausedUntil = false, time.Time{}
		}
	})
}

func (c Config) withFolders(change func(*Folder)) Config {
	c.Folders = slices.Clone(c.Folders)
	for i := range c.Folders {
		change(&c.Folders[i])
	}
	return c
}
