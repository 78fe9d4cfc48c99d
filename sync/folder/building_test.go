package folder

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lanyard/sync/fsys"
)

func TestAFirstScanTellsThatItMakesTheIndexAndHowFarItIs(t *testing.T) {
	inRig(t, map[string]string{"a": "1", "b": "2", "dir/c": "3"}, func(r *rig) {
		var building, looked, changes atomic.Int64
		r.options.Changed = func() { changes.Add(1) }
		r.runner = New(r.options)
		var slow atomic.Bool
		slow.Store(true)
		r.disk.SetHook(func(op fsys.Op) error {
			if op.Name == fsys.OpOpen && op.Paths[0] == "dir/c" {
				v := r.runner.View()
				if v.Building.IsZero() {
					building.Store(-1)
				} else {
					building.Store(int64(time.Since(v.Building)))
				}
				looked.Store(v.Looked)
				if slow.Load() {
					<-time.After(time.Minute)
				}
			}
			return nil
		})
		r.start()
		synctest.Wait()
		if building.Load() != 0 || looked.Load() != 3 {
			t.Errorf("while the last of 3 files was read it had been made for %d and %d were looked at", building.Load(), looked.Load())
		}
		before := changes.Load()
		r.later(30 * time.Second)
		if told := changes.Load() - before; told < 10 {
			t.Errorf("those who watch were told %d times in half a minute", told)
		}
		r.later(time.Minute)
		if v := r.runner.View(); !v.Building.IsZero() {
			t.Error("it goes on being made after the scan")
		}
		slow.Store(false)
		r.must(r.user.WriteFile("dir/c", []byte("four")))
		r.scan()
		if building.Load() != -1 {
			t.Error("a later scan says that it makes the index")
		}
	})
}
