package exec

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestAPoolRunsAtMostNAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ex Real
		p := NewPool(&ex, 3)
		var running, most, ran atomic.Int64
		leave := make(chan struct{})
		for range 20 {
			p.Go(func() {
				n := running.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				<-leave
				running.Add(-1)
				ran.Add(1)
			})
		}
		synctest.Wait()
		if n := running.Load(); n != 3 {
			t.Errorf("%d run at a time, want 3", n)
		}
		close(leave)
		synctest.Wait()
		ex.Close()
		if most.Load() != 3 || ran.Load() != 20 {
			t.Errorf("at most %d ran at a time and %d in all, want 3 and 20", most.Load(), ran.Load())
		}
	})
}

func TestAPoolStartsFunctionsInTheOrderGiven(t *testing.T) {
	ex := &inline{}
	p := NewPool(ex, 2)
	var got []int
	for i := range 6 {
		p.Go(func() { got = append(got, i) })
	}
	for len(ex.work) > 0 {
		f := ex.work[0]
		ex.work = ex.work[1:]
		f()
	}
	if want := []int{0, 1, 2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestAPoolOfFewerThanOneRunsOneAtATime(t *testing.T) {
	var ex Real
	p := NewPool(&ex, 0)
	var wg sync.WaitGroup
	wg.Add(2)
	p.Go(wg.Done)
	p.Go(wg.Done)
	wg.Wait()
	ex.Close()
}

func TestAPoolWorksAgainAfterItWasIdle(t *testing.T) {
	var ex Real
	p := NewPool(&ex, 2)
	for range 3 {
		done := make(chan struct{})
		if !p.Go(func() { close(done) }) {
			t.Fatal("it refuses")
		}
		<-done
	}
	ex.Close()
}

func TestAClosedPoolDropsItsQueue(t *testing.T) {
	var ex Real
	p := NewPool(&ex, 1)
	inside, leave := make(chan struct{}), make(chan struct{})
	p.Go(func() { close(inside); <-leave })
	<-inside
	p.Go(func() { t.Error("ran after Close") })
	p.Close()
	if p.Go(func() { t.Error("ran after Close") }) {
		t.Error("Go after Close says that it will run")
	}
	close(leave)
	ex.Close()
}
