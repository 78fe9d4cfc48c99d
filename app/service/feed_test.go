package service

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lanyard/sync/status"
)

func TestTheFeedGivesAtMostTenStatesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		always := make(chan struct{})
		close(always) // a change is always there
		f := newFeed()
		done := make(chan error)
		go func() {
			done <- f.run(ctx, func() <-chan struct{} { return always }, func() <-chan struct{} { return nil }, func() status.Snapshot { return status.Snapshot{} })
		}()
		var states int
		err := f.follow(ctx, func(SnapshotEvent) error { states++; return nil })
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(<-done, context.DeadlineExceeded) {
			t.Errorf("follow ended with %v, want the end of the context", err)
		}
		if states < 49 || states > 51 {
			t.Errorf("got %d states in five seconds of constant change, want 50", states)
		}
	})
}

func TestAQuietFeedGivesTheFirstStateAtOnceAndThenNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		never := make(chan struct{})
		f := newFeed()
		done := make(chan error)
		go func() {
			done <- f.run(ctx, func() <-chan struct{} { return never }, func() <-chan struct{} { return never },
				func() status.Snapshot { return status.Snapshot{Name: "nas"} })
		}()
		start := time.Now()
		var got []string
		_ = f.follow(ctx, func(e SnapshotEvent) error {
			got = append(got, e.Seq+" "+e.Status.Name+" "+time.Since(start).String())
			return nil
		})
		<-done
		if diff := cmp.Diff([]string{"1 nas 0s"}, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestTheFeedGoesOnWhileBytesMoveUntilNoneDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		rates := []float64{9000, 90, 1, 0.5}
		f := newFeed()
		done := make(chan error)
		go func() {
			done <- f.run(ctx, func() <-chan struct{} { return nil }, func() <-chan struct{} { return nil }, func() status.Snapshot {
				var now float64
				now, rates = rates[0], rates[1:]
				return status.Snapshot{Devices: []status.Device{{OutRate: now}}}
			})
		}()
		start := time.Now()
		var got []time.Duration
		_ = f.follow(ctx, func(SnapshotEvent) error { got = append(got, time.Since(start)); return nil })
		<-done
		if diff := cmp.Diff([]time.Duration{0, feedMoving, 2 * feedMoving, 3 * feedMoving}, got); diff != "" {
			t.Errorf("times of the states (-want +got):\n%s", diff)
		}
	})
}

func TestASlowFollowerSkipsToTheNewestStateAndSeesTheGap(t *testing.T) {
	f := newFeed()
	f.put(status.Snapshot{Name: "1"})
	enough := errors.New("enough")
	var got []string
	err := f.follow(t.Context(), func(e SnapshotEvent) error {
		got = append(got, e.Seq+"="+e.Status.Name)
		if len(got) == 2 {
			return enough
		}
		f.put(status.Snapshot{Name: "2"}) // while the follower is busy
		f.put(status.Snapshot{Name: "3"})
		return nil
	})
	if diff := cmp.Diff([]string{"1=1", "3=3"}, got); diff != "" || !errors.Is(err, enough) {
		t.Errorf("events (-want +got), error %v:\n%s", err, diff)
	}
}
