package transport_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lanyard/sync/transport"
)

func TestBackoffDoublesUpToAMinuteWithAQuarterOfJitter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := transport.NewBackoff(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		for i, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60, 60} {
			wantPause(t, i, b.Next(false), time.Duration(seconds)*time.Second)
		}
		b.Reset()
		wantPause(t, 0, b.Next(false), time.Second)
	})
}

func TestBackoffStaysShortForAnAddressThatWorkedHere(t *testing.T) {
	b := transport.NewBackoff(rand.New(rand.NewPCG(1, 2)))
	for i, seconds := range []int{1, 2, 4, 5, 5, 5, 5, 5} {
		wantPause(t, i, b.Next(true), time.Duration(seconds)*time.Second)
	}
	wantPause(t, 8, b.Next(false), time.Minute)
}

func wantPause(t interface{ Errorf(string, ...any) }, round int, got, want time.Duration) {
	if got < want*3/4 || got > want*5/4 {
		t.Errorf("pause %d: got %v, want %v ±25 %%", round, got, want)
	}
}
