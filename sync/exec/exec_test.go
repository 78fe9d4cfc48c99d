package exec

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSerialRunsOneAtATimeInTheOrderPosted(t *testing.T) {
	var ex Real
	s := NewSerial(&ex)
	const posters, each = 4, 200
	var running atomic.Int32
	var got [posters][]int
	var posted, done sync.WaitGroup
	done.Add(posters * each)
	for p := range posters {
		posted.Go(func() {
			for i := range each {
				s.Post(func() {
					defer done.Done()
					if running.Add(1) != 1 {
						t.Error("two functions at once")
					}
					got[p] = append(got[p], i)
					running.Add(-1)
				})
			}
		})
	}
	posted.Wait()
	done.Wait()
	ex.Close()
	for p := range got {
		if len(got[p]) != each || !slices.IsSorted(got[p]) {
			t.Errorf("poster %d: order %v", p, got[p])
		}
	}
}

func TestAPostedFunctionMayPost(t *testing.T) {
	var ex Real
	s := NewSerial(&ex)
	var got []int
	end := make(chan struct{})
	s.Post(func() {
		s.Post(func() { got = append(got, 2); close(end) })
		got = append(got, 1)
	})
	<-end
	ex.Close()
	if !slices.Equal(got, []int{1, 2}) {
		t.Errorf("order %v", got)
	}
}

func TestCloseDropsWhatIsQueued(t *testing.T) {
	var ex Real
	s := NewSerial(&ex)
	inside, leave := make(chan struct{}), make(chan struct{})
	s.Post(func() { close(inside); <-leave })
	<-inside
	s.Post(func() { t.Error("ran after Close") })
	s.Close()
	if s.Post(func() { t.Error("ran after Close") }) {
		t.Error("Post after Close says that it will run")
	}
	close(leave)
	ex.Close()
}

// inline runs work when the test says so, as a simulation does.
type inline struct{ work []func() }

func (e *inline) Now() time.Time                              { return time.Time{} }
func (e *inline) Wall() time.Time                             { return time.Time{} }
func (e *inline) Go(f func())                                 { e.work = append(e.work, f) }
func (e *inline) Inline() bool                                { return true }
func (e *inline) After(time.Duration, func()) (cancel func()) { return func() {} }

func TestInlineEveryFunctionIsAStepOfItsOwn(t *testing.T) {
	ex := &inline{}
	var got []string
	a, b := NewSerial(ex), NewSerial(ex)
	for range 2 {
		a.Post(func() { got = append(got, "a") })
		b.Post(func() { got = append(got, "b") })
	}
	for len(ex.work) > 0 {
		f := ex.work[0]
		ex.work = ex.work[1:]
		f()
	}
	if want := []string{"a", "b", "a", "b"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestCloseWaitsForWorkAndRefusesMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ex Real
		var ended atomic.Bool
		leave := make(chan struct{})
		ex.Go(func() { <-leave; ended.Store(true) })
		closed := make(chan struct{})
		go func() { ex.Close(); close(closed) }()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("Close did not wait")
		default:
		}
		close(leave)
		<-closed
		if !ended.Load() {
			t.Error("Close returned before the work")
		}
		ex.Go(func() { t.Error("ran after Close") })
		ex.After(0, func() { t.Error("ran after Close") })()
		synctest.Wait()
	})
}

func TestAfterRunsOnceUnlessCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ex Real
		start := ex.Now()
		ran := make(chan time.Duration, 2)
		ex.After(time.Hour, func() { ran <- ex.Now().Sub(start) })
		cancel := ex.After(time.Minute, func() { t.Error("ran although cancelled") })
		cancel()
		cancel()
		if d := <-ran; d != time.Hour {
			t.Errorf("ran after %v", d)
		}
		ex.After(time.Hour, func() { t.Error("ran after Close") })
		ex.Close()
		synctest.Wait()
	})
}
