package exec

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestClosingAScopeWaitsForWhatRunsAndDropsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ex Real
		s := NewScope(&ex)
		inside, leave := make(chan struct{}), make(chan struct{})
		var ended atomic.Bool
		s.Go(func() { close(inside); <-leave; ended.Store(true) })
		s.After(time.Hour, func() { t.Error("a timer ran after Close") })
		<-inside
		closed := make(chan struct{})
		go func() { s.Close(); close(closed) }()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("Close did not wait")
		default:
		}
		s.Go(func() { t.Error("ran after Close") })
		close(leave)
		<-closed
		if !ended.Load() {
			t.Error("Close returned before the work ended")
		}
		<-time.After(2 * time.Hour)
		ex.Close()
	})
}

func TestAClosedScopeLeavesTheExecutorToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ex Real
		a, b := NewScope(&ex), NewScope(&ex)
		a.Close()
		ran := make(chan struct{}, 2)
		b.Go(func() { ran <- struct{}{} })
		b.After(time.Minute, func() { ran <- struct{}{} })
		<-ran
		<-ran
		b.Close()
		ex.Close()
	})
}

func TestATimerOfAScopeCanBeCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ex Real
		s := NewScope(&ex)
		cancel := s.After(time.Minute, func() { t.Error("ran although cancelled") })
		cancel()
		cancel()
		<-time.After(time.Hour)
		s.Close()
		ex.Close()
	})
}

func TestAScopeIsAsItsExecutor(t *testing.T) {
	var ex Real
	s := NewScope(&inline{})
	if !s.Inline() || NewScope(&ex).Inline() {
		t.Error("Inline is not that of the executor below")
	}
	if !s.Now().Equal((&inline{}).Now()) {
		t.Error("Now is not that of the executor below")
	}
}

func TestClosingAnInlineScopeDoesNotWait(t *testing.T) {
	ex := &inline{}
	s := NewScope(ex)
	s.Go(func() { t.Error("ran after Close") })
	s.Close()
	for _, f := range ex.work {
		f()
	}
}

func TestAScopeOverAClosedExecutorCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ex Real
		s := NewScope(&ex)
		ex.Close()
		s.Go(func() { t.Error("ran after the Executor was closed") })
		s.After(time.Minute, func() { t.Error("ran after the Executor was closed") })
		s.Close()
	})
}
